#!/usr/bin/env bash
# Signs what was built last as updates: bundle.sh LEVEL ID KEY.pem [ID KEY.pem ...]
#
#   dist/branchbox-VERSION-arm64.bundle     the whole card, for boxes with two slots
#   dist/branchbox-VERSION-aarch64.bundle   the one executable, also for hosts
#
# LEVEL is the security level, which never goes down on a box: raise it when an old version must not come back.
# BRANCHBOX_NOTES_EN=FILE, BRANCHBOX_NOTES_ZH=FILE: what is new in it, shown before it is installed.
# Private keys stay where they are: openssl genpkey -algorithm ed25519 -out KEY.pem. The public halves go into the image
# with BRANCHBOX_UPDATE_KEYS=keys.json ./build.sh image; make that list with bundle.sh --public keys.json ID KEY.pem ...
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=debian.sh
. "$(dirname "${BASH_SOURCE[0]}")/debian.sh"

write() { "${ROOT}/.venv/bin/python" -m appliance.system.update.write "$@"; }

key_options() { # ID FILE ...
    while [[ $# -ge 2 ]]; do
        printf '%s\n' --key "$1" "$2"
        shift 2
    done
}

main() {
    local level output keys common language file
    [[ $# -ge 3 && $(($# % 2)) -eq 1 || ${1:-} == --public && $# -ge 4 ]] || fail "usage: bundle.sh LEVEL ID KEY.pem [ID KEY.pem ...]"
    cd "${ROOT}"
    if [[ $1 == --public ]]; then
        output=$2
        mapfile -t keys < <(key_options "${@:3}")
        write --public --output "${output}" "${keys[@]}"
        return
    fi
    level=$1
    mapfile -t keys < <(key_options "${@:2}")
    common=(--version "${VERSION}" --security-level "${level}" "${keys[@]}")
    common+=(--made-on "$(date --utc --date="@${SOURCE_DATE_EPOCH}" +%F)")
    for language in en zh; do
        file=BRANCHBOX_NOTES_${language^^}
        if [[ -n ${!file:-} ]]; then
            common+=(--notes "${language}" "${!file}")
        fi
    done
    output=${DIST}/branchbox-${VERSION}-${TARGET}.bundle
    write "${common[@]}" --kind image --target "${TARGET}-card" --output "${output}" \
        --part root "${BUILD}/parts/2" --part boot "${BUILD}/parts/boot.tar"
    say "${output#"${ROOT}/"}: $(size_of "${output}")"
    output=${DIST}/branchbox-${VERSION}-${TARGET_MACHINE}.bundle
    write "${common[@]}" --kind application --target "${TARGET_MACHINE}" --output "${output}" \
        --part executable "${DIST}/branchbox-${VERSION}-${TARGET_MACHINE}"
    say "${output#"${ROOT}/"}: $(size_of "${output}")"
}

main "$@"
