#!/usr/bin/env bash
# Makes the executable: freeze.sh native | target; or runs the target's: freeze.sh run COMMAND ...
# dist/branchbox-VERSION-MACHINE is one file; build/freeze-MACHINE/branchbox/ is the same code as a folder, which is
# what the image carries. The target's is frozen by the target's own Python, in a tree that sees neither the network
# nor this machine's pip settings: its wheels are fetched and checked against their hashes out here.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=debian.sh
. "$(dirname "${BASH_SOURCE[0]}")/debian.sh"

PYTHON_TREE=${BUILD}/freeze-python
SITE=${BUILD}/freeze-site
# What `branchbox install` puts on a host is in it, too.
INSTALLED=(systemd image/overlay/usr/bin image/overlay/usr/libexec)
# The licences of what is in it are looked up while it is frozen.
LOOK_UP=(image/sbom requirements/run.txt)
INPUTS=(appliance webui requirements/freeze.txt image/freeze image/freeze.sh "${LOOK_UP[@]}" "${INSTALLED[@]}")
# Newest first: what glibc 2.36 can load. pip takes the first that a release has.
WHEEL_TAGS=(manylinux_2_36 manylinux_2_34 manylinux_2_31 manylinux_2_28 manylinux_2_26 manylinux_2_24 manylinux_2_17 manylinux2014)

make_pip() {
    [[ -x ${BUILD}/freeze-pip/bin/python ]] && return
    need_packages python3-venv
    "${PYTHON}" -m venv "${BUILD}/freeze-pip"
}

make_python_tree() {
    local stamp
    stamp="$(stamp_of image/freeze.sh image/debian.sh) $(mirror_lines)"
    is_fresh "${BUILD}/freeze-python.stamp" "${stamp}" && return
    say "Python for ${TARGET}"
    # Unpacking is enough: Python and binutils need no package script to have run, which would take minutes.
    make_tree "${PYTHON_TREE}" extract python3,libpython3.11,binutils,bash,coreutils,libc-bin
    as_root chroot "${PYTHON_TREE}" ldconfig
    printf '%s' "${stamp}" >"${BUILD}/freeze-python.stamp"
}

# The target's wheels, unpacked here: installing a wheel is unpacking it, so the target's pip is not needed.
make_site() {
    local stamp tag options=()
    stamp=$(stamp_of requirements/freeze.txt image/freeze.sh)
    is_fresh "${BUILD}/freeze-site.stamp" "${stamp}" && return
    say "wheels for ${TARGET}"
    make_pip
    for tag in "${WHEEL_TAGS[@]}"; do options+=(--platform "${tag}_${TARGET_MACHINE}"); done
    rm --recursive --force "${SITE}"
    "${BUILD}/freeze-pip/bin/python" -m pip install --quiet --target "${SITE}" --report "${SITE}.json" --require-hashes --no-deps \
        --only-binary=:all: --implementation cp --python-version 311 --abi cp311 --abi abi3 --abi none \
        "${options[@]}" --requirement "${ROOT}/requirements/freeze.txt"
    printf '%s' "${stamp}" >"${BUILD}/freeze-site.stamp"
}

freeze_target() {
    local inside=${PYTHON_TREE}/branchbox
    make_python_tree
    make_site
    as_root rm --recursive --force "${inside}"
    as_root mkdir "${inside}"
    as_root cp --recursive "${ROOT}"/{appliance,webui} "${SITE}" "${inside}/"
    (cd "${ROOT}" && as_root cp --recursive --parents image/freeze "${LOOK_UP[@]}" "${INSTALLED[@]}" "${inside}/")
    as_root chroot "${PYTHON_TREE}" env --ignore-environment PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/branchbox LANG=C.UTF-8 \
        PYTHONPATH=/branchbox/freeze-site PYTHONDONTWRITEBYTECODE=1 PYTHONHASHSEED=0 \
        SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH}" BRANCHBOX_EXECUTABLE="$1" \
        python3 -m PyInstaller --noconfirm --log-level WARN --distpath /branchbox/dist --workpath /branchbox/work \
        /branchbox/image/freeze/branchbox.spec
    collect "${inside}/dist" "$1" "${TARGET_MACHINE}"
}

freeze_native() {
    local machine tools=${BUILD}/freeze-native
    machine=$(uname --machine)
    need_packages python3-venv binutils libpython3.11
    if ! is_fresh "${tools}/stamp" "$(stamp_of requirements/freeze.txt)"; then
        say "tools to freeze with"
        rm --recursive --force "${tools}"
        "${PYTHON}" -m venv "${tools}"
        "${tools}/bin/python" -m pip install --quiet --report "${tools}/report.json" --require-hashes \
            --requirement "${ROOT}/requirements/freeze.txt"
        stamp_of requirements/freeze.txt >"${tools}/stamp"
    fi
    PYTHONHASHSEED=0 BRANCHBOX_EXECUTABLE="$1" "${tools}/bin/python" -m PyInstaller --noconfirm --log-level WARN \
        --distpath "${BUILD}/freeze-dist" --workpath "${BUILD}/freeze-work" "${ROOT}/image/freeze/branchbox.spec"
    collect "${BUILD}/freeze-dist" "$1" "${machine}"
}

# Takes over what PyInstaller left: collect FROM NAME MACHINE
collect() {
    local folder=${BUILD}/freeze-$3
    mkdir --parents "${DIST}"
    as_root rm --recursive --force "${folder}"
    as_root mv "$1/branchbox" "${folder}"
    as_root mv --force "$1/$2" "${DIST}/$2"
    as_root chown "$(id --user):$(id --group)" "${DIST}/$2"
}

# The target's executable in the tree it was frozen in, which has the C library it asks for.
run_target() {
    local name=branchbox-${VERSION}-${TARGET_MACHINE}
    if [[ ${HOST} == "${TARGET}" ]]; then
        exec "${DIST}/${name}" "$@"
    fi
    need_emulation
    as_root cp "${DIST}/${name}" "${PYTHON_TREE}/tmp/${name}"
    as_root chroot "${PYTHON_TREE}" env --ignore-environment PATH=/usr/bin:/bin HOME=/tmp LANG=C.UTF-8 "/tmp/${name}" "$@"
}

freeze() {
    local kind=$1 machine name stamp started=${SECONDS}
    machine=${TARGET_MACHINE}
    [[ ${kind} == native ]] && machine=$(uname --machine)
    [[ ${machine} == "${TARGET_MACHINE}" && ${HOST} == "${TARGET}" ]] && kind=native
    name=branchbox-${VERSION}-${machine}
    stamp="${kind} $(stamp_of "${INPUTS[@]}")"
    mkdir --parents "${BUILD}"
    if [[ -x ${DIST}/${name} ]] && is_fresh "${BUILD}/${name}.stamp" "${stamp}"; then
        say "dist/${name}: unchanged"
        return
    fi
    say "freezing dist/${name}"
    "freeze_${kind}" "${name}"
    printf '%s' "${stamp}" >"${BUILD}/${name}.stamp"
    say "dist/${name}: $(size_of "${DIST}/${name}") in $((SECONDS - started)) s"
}

case "${1:-target}" in
    run) run_target "${@:2}" ;;
    *) freeze "${1:-target}" ;;
esac
