# Debian for the build: packages on this machine, and Debian trees of another architecture beside it.
# Sourced by build.sh and by the scripts in image/; it does nothing by itself.
# shellcheck shell=bash

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
SUITE=bookworm
TARGET=arm64         # Debian's name
TARGET_MACHINE=aarch64 # the kernel's and Python's name
VERSION=$(sed -n 's/^__version__ = "\(.*\)"$/\1/p' "${ROOT}/appliance/__init__.py")
HOST=$(dpkg --print-architecture)
DIST=${ROOT}/dist
BUILD=${ROOT}/build
PYTHON=/usr/bin/python3 # Debian's, whatever else stands first in PATH
export PYTHON ROOT SUITE TARGET TARGET_MACHINE VERSION HOST DIST BUILD

say() { printf '\033[1m== %s\033[0m\n' "$*" >&2; }

fail() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# Bytes in MB with one decimal, as all sizes are printed.
size_of() { stat --printf='%s' "$1" | awk '{ printf "%.1f MB", $1 / 1e6 }'; }

as_root() {
    if [[ ${EUID} -eq 0 ]]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        fail "this needs root or sudo: $*"
    fi
}

is_installed() { dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null | grep -qx installed; }

# Installs those of the named packages that are missing. apt runs only when one is.
need_packages() {
    local package missing=()
    for package in "$@"; do
        is_installed "${package}" || missing+=("${package}")
    done
    [[ ${#missing[@]} -eq 0 ]] && return
    say "apt-get install ${missing[*]}"
    as_root apt-get update --quiet=2
    # What dpkg tells of its progress is nobody's interest here; errors come on standard error.
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet=2 --no-install-recommends "${missing[@]}" >/dev/null
}

# One name for the contents of files and folders: equal while nothing in them changed.
stamp_of() {
    (
        cd "${ROOT}" || exit
        find "$@" -type f -not -name '*.pyc' -print0 | LC_ALL=C sort --zero-terminated \
            | xargs --null sha256sum
    ) | sha256sum | cut --characters=1-32
}

is_fresh() { # STAMP_FILE STAMP
    [[ -f $1 && $(<"$1") == "$2" ]]
}

# The mirrors of this machine's own apt configuration, as lines of a sources.list with the components
# that an image needs. BRANCHBOX_MIRROR replaces them: a URL, or several lines of a sources.list. BRANCHBOX_SNAPSHOT does,
# too: the time of a state that an archive of snapshots keeps, such as 20261120T000000Z, so that a build can be had again
# later; BRANCHBOX_SNAPSHOT_ARCHIVE is that archive's address, below which it has debian/TIME/ and debian-security/TIME/.
mirror_lines() {
    local components="main non-free-firmware" suite kind
    if [[ -n ${BRANCHBOX_SNAPSHOT:-} ]]; then
        [[ ${BRANCHBOX_SNAPSHOT} =~ ^[0-9]{8}T[0-9]{6}Z$ ]] || fail "BRANCHBOX_SNAPSHOT is a time such as 20261120T000000Z"
        [[ -n ${BRANCHBOX_SNAPSHOT_ARCHIVE:-} ]] || fail "BRANCHBOX_SNAPSHOT_ARCHIVE names no archive of snapshots"
        for suite in "" -updates -security; do
            kind=debian
            [[ ${suite} == -security ]] && kind=debian-security
            # What it keeps is signed as it was then, and by now its lists say that they have run out.
            printf 'deb [check-valid-until=no] %s/%s/%s %s %s\n' \
                "${BRANCHBOX_SNAPSHOT_ARCHIVE}" "${kind}" "${BRANCHBOX_SNAPSHOT}" "${SUITE}${suite}" "${components}"
        done
    elif [[ ${BRANCHBOX_MIRROR:-} == deb\ * ]]; then
        printf '%s\n' "${BRANCHBOX_MIRROR}"
    elif [[ -n ${BRANCHBOX_MIRROR:-} ]]; then
        printf 'deb %s %s %s\n' "${BRANCHBOX_MIRROR}" "${SUITE}" "${components}"
    else
        apt-get indextargets --format "deb \$(REPO_URI) \$(RELEASE) ${components}" 'Identifier: Packages' \
            | awk -v suite="${SUITE}" '$3 == suite || $3 == suite "-updates" || $3 == suite "-security"' | sort --unique
    fi
}

# How this machine's apt reaches its mirrors (proxy, certificates, dates), one option a line.
transport_options() {
    apt-config dump --format '%f "%v";%n' \
        | grep --extended-regexp '^Acquire::(http|https|Retries|Check-Date|Check-Valid-Until)(::[^ ]*)? ".+";$' || true
}

# What a tree that is only unpacked consists of, where dpkg would have written it: names, versions and files.
# shellcheck disable=SC2016 # mmdebstrap's shell expands it
RECORD_UNPACKED='
set -eu
for deb in ${MMDEBSTRAP_ESSENTIAL}; do
    file=$1/${deb#"$1"}
    name=$(dpkg-deb --field "${file}" Package)
    { dpkg-deb --field "${file}" Package Version Architecture Source; echo "Status: install ok unpacked"; echo; } >>"$1/var/lib/dpkg/status"
    dpkg-deb --fsys-tarfile "${file}" | tar --list >"$1/var/lib/dpkg/info/${name}.list"
done'

# A Debian tree of the target architecture: make_tree FOLDER VARIANT PACKAGE,... [mmdebstrap option ...]
make_tree() {
    local folder=$1 variant=$2 packages=$3 option mirrors options=()
    shift 3
    need_packages mmdebstrap arch-test debian-archive-keyring
    need_emulation
    mirrors=$(mirror_lines)
    [[ -n ${mirrors} ]] || fail "apt on this machine knows no ${SUITE} mirror; give one: BRANCHBOX_MIRROR=URL"
    while read -r option; do
        [[ -n ${option} ]] && options+=(--aptopt="${option}")
    done < <(transport_options)
    [[ ${variant} == extract ]] && options+=(--extract-hook="${RECORD_UNPACKED}")
    as_root rm --recursive --force --one-file-system "${folder}"
    as_root env SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH}" mmdebstrap --quiet --mode=root --architectures="${TARGET}" \
        --variant="${variant}" --include="${packages}" --dpkgopt='force-unsafe-io' "${options[@]}" "$@" \
        "${SUITE}" "${folder}" - <<<"${mirrors}"
}

# Programs of the target run on this machine: natively, or by qemu-user through the kernel's binfmt_misc.
need_emulation() {
    local registry=/proc/sys/fs/binfmt_misc
    [[ ${HOST} == "${TARGET}" ]] && return
    need_packages qemu-user-static binfmt-support
    [[ -e ${registry}/status ]] || as_root mount -t binfmt_misc binfmt_misc "${registry}" \
        || fail "binfmt_misc cannot be mounted here, so ${TARGET} programs cannot run; use a machine with it or an ${TARGET} one"
    [[ -e ${registry}/qemu-${TARGET_MACHINE} ]] || as_root update-binfmts --enable "qemu-${TARGET_MACHINE}"
    grep -q '^flags:.*F' "${registry}/qemu-${TARGET_MACHINE}" 2>/dev/null \
        || fail "qemu-${TARGET_MACHINE} is not registered with the F flag in ${registry}; see docs/image.md"
}

# The one date that everything in an image bears: the last commit's, or the caller's choice.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "${ROOT}" log -1 --format=%ct 2>/dev/null || echo 0)}
export SOURCE_DATE_EPOCH
