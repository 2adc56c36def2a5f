#!/usr/bin/env bash
# Everything that is done with this tree. Each verb sets up what it needs on a bare Debian 12; see usage().
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=image/debian.sh
. "$(dirname "$(readlink --canonicalize "${BASH_SOURCE[0]}")")/image/debian.sh"

VENV=${ROOT}/.venv
# The tests' peers: telephones, a browser, and a network of their own.
PEERS=(sip-tester baresip-core linphone-cli kamailio chromium chromium-driver fonts-wqy-microhei iproute2 nftables)
# What `bench` loads and compares with.
RIVALS=(sip-tester kamailio kamailio-sqlite-modules)

usage() {
    cat <<'TEXT'
usage: ./build.sh VERB [options]

  run [options]     start the exchange from this checkout (options: see `branchbox run --help`)
  test [options]    run every test that needs no image (options go to pytest)
  check             format, lint, types, import contracts, shell scripts, unused dependencies
  freeze [--native] make dist/branchbox-VERSION-aarch64, or the same for this machine's processor
  image             make dist/branchbox-VERSION-arm64.img.xz, the SD card's contents
  boot              start that image in QEMU, its serial line on this terminal
  test-image        test that image in QEMU: set-up over the serial line, a call, power cuts
  test-image --full the same, and updates, good and bad ones, with 300 power cuts
  bench [options]   print what a call costs
  lock              choose the newest dependencies: requirements/*.in -> *.txt
  all               check, test, image, test-image, bench

Every verb installs what it is missing: Debian's packages with apt (as root or by sudo), Python's into .venv.
BRANCHBOX_UPDATE_KEYS=FILE puts the public keys that sign updates into the image; image/bundle.sh makes them and updates.
BRANCHBOX_MIRROR=URL takes the image's packages from another mirror than this machine's own.
BRANCHBOX_SNAPSHOT=20261120T000000Z with BRANCHBOX_SNAPSHOT_ARCHIVE=URL takes them as they were then, from an archive of snapshots.
TEXT
}

# One .venv for all verbs. What `dev` needs is added to what `run` made, for an exchange may be running from that;
# a changed list makes it anew.
need_venv() { # run | dev
    local kind=$1 stamp
    need_packages python3-venv
    stamp="$(stamp_of requirements/run.txt) run"
    [[ ${kind} == run && -f ${VENV}/stamp ]] && grep --quiet --fixed-strings --line-regexp "${stamp}" "${VENV}/stamp" && return
    [[ ${kind} == dev ]] && stamp+=$'\n'"$(stamp_of requirements/dev.txt) dev"
    is_fresh "${VENV}/stamp" "${stamp}" && return
    say "Python packages into .venv"
    if ! is_fresh "${VENV}/stamp" "${stamp%%$'\n'*}"; then
        rm --recursive --force "${VENV}"
        "${PYTHON}" -m venv "${VENV}"
    fi
    "${VENV}/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes \
        --requirement "${ROOT}/requirements/${kind}.txt"
    printf '%s\n' "${stamp}" >"${VENV}/stamp"
}

verb_run() {
    need_venv run
    exec "${VENV}/bin/python" -m appliance run "$@"
}

# shellcheck disable=SC2120 # main passes the options
verb_test() {
    need_venv dev
    need_packages "${PEERS[@]}"
    verb_freeze --native
    "${VENV}/bin/python" -m pytest -m "not image" "$@"
}

shell_scripts() {
    git -C "${ROOT}" grep --name-only --perl-regexp '^#!.*\b(ba)?sh$' -- ':!*.py' ':!*.md'
    printf '%s\n' image/debian.sh
}

verb_check() {
    need_venv dev
    need_packages shellcheck
    "${VENV}/bin/ruff" format --check
    "${VENV}/bin/ruff" check
    "${VENV}/bin/mypy"
    "${VENV}/bin/lint-imports"
    "${VENV}/bin/deptry" appliance webui
    shell_scripts | sort --unique | xargs shellcheck
    say "all checks passed"
}

verb_freeze() {
    case "${1:-}" in
        "") "${ROOT}/image/freeze.sh" target ;;
        --native) "${ROOT}/image/freeze.sh" native ;;
        *) fail "freeze knows --native only" ;;
    esac
}

verb_image() {
    local started=${SECONDS}
    verb_freeze
    "${ROOT}/image/rootfs.sh"
    "${ROOT}/image/card.sh"
    say "image: $((SECONDS - started)) s in all"
}

verb_boot() { exec "${ROOT}/image/boot.sh"; }

# shellcheck disable=SC2120 # main passes the options
verb_test_image() {
    need_venv dev
    need_packages qemu-system-arm qemu-efi-aarch64 xz-utils sip-tester mtools dosfstools fdisk e2fsprogs
    local which="image and not full"
    [[ ${1:-} == --full ]] && which=image && shift
    "${VENV}/bin/python" -m pytest -m "${which}" tests/image "$@"
}

verb_bench() {
    local stranger=no
    need_venv dev
    is_installed kamailio || stranger=yes
    need_packages "${RIVALS[@]}"
    # Its package starts it, then and at every boot, on the port that telephones call.
    [[ ${stranger} == yes && -d /run/systemd/system ]] && as_root systemctl disable --quiet --now kamailio
    exec "${VENV}/bin/python" -m tests.bench "$@"
}

verb_lock() {
    local tools=${BUILD}/lock kind
    need_packages python3-venv
    rm --recursive --force "${tools}"
    "${PYTHON}" -m venv "${tools}"
    "${tools}/bin/python" -m pip install --quiet pip-tools
    for kind in run dev freeze; do
        # No index, no find-links: where this machine gets its packages from is nobody else's business.
        (cd requirements && "../build/lock/bin/pip-compile" --quiet --upgrade --generate-hashes --allow-unsafe \
            --no-header --no-annotate --strip-extras --no-emit-index-url --no-emit-trusted-host --no-emit-find-links \
            --no-emit-options --output-file "${kind}.txt" "${kind}.in")
        say "requirements/${kind}.txt"
    done
}

verb_all() {
    local verb
    for verb in check test image test-image bench; do
        "${ROOT}/build.sh" "${verb}"
    done
}

main() {
    local verb=${1:-help}
    [[ $# -gt 0 ]] && shift
    cd "${ROOT}"
    case "${verb}" in
        run | test | check | freeze | image | boot | test-image | bench | lock | all) "verb_${verb//-/_}" "$@" ;;
        help | -h | --help) usage ;;
        *)
            printf 'error: there is no verb %s\n\n' "${verb}" >&2
            usage >&2
            exit 2
            ;;
    esac
}

main "$@"
