#!/usr/bin/env bash
# The Debian tree of the image, in build/rootfs: packages, kernel, initramfs, and nothing of ours but what the
# initramfs needs. Reused while its inputs are the same, so that a change of the service rebuilds only the card.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=debian.sh
. "$(dirname "${BASH_SOURCE[0]}")/debian.sh"

TREE=${BUILD}/rootfs
UNPACKED=${BUILD}/unpacked
INITRAMFS_CONFIG=${ROOT}/image/overlay/etc/initramfs-tools

package_list() { sed --expression='s/#.*//' --expression='/^\s*$/d' "$1" | paste --serial --delimiters=,; }

make_debian() {
    # INITRD=No: the kernel's own postinst would build an initramfs of every module, 20 minutes under emulation.
    INITRD=No make_tree "${TREE}" essential "$(package_list "${ROOT}/image/packages")" \
        --dpkgopt='path-exclude=/usr/share/man/*' \
        --dpkgopt='path-exclude=/usr/share/info/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' \
        --dpkgopt='path-exclude=/usr/share/doc/*' \
        --dpkgopt='path-include=/usr/share/doc/*/copyright'
}

make_initramfs() {
    local kernel
    kernel=$(basename "$(echo "${TREE}"/lib/modules/*)")
    as_root cp --recursive "${INITRAMFS_CONFIG}/." "${TREE}/etc/initramfs-tools/"
    as_root env SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH}" chroot "${TREE}" \
        mkinitramfs -o "/boot/initrd.img-${kernel}" "${kernel}"
}

main() {
    local stamp started=${SECONDS}
    stamp="$(stamp_of image/packages image/packages-unpacked image/rootfs.sh image/debian.sh image/overlay/etc/initramfs-tools) $(mirror_lines)"
    if is_fresh "${BUILD}/rootfs.stamp" "${stamp}"; then
        say "Debian tree: unchanged"
        return
    fi
    rm --force "${BUILD}/rootfs.stamp"
    mkdir --parents "${BUILD}"
    say "Debian tree: packages"
    make_debian
    make_tree "${UNPACKED}" extract "$(package_list "${ROOT}/image/packages-unpacked")"
    say "Debian tree: initramfs, after $((SECONDS - started)) s"
    make_initramfs
    printf '%s' "${stamp}" >"${BUILD}/rootfs.stamp"
    say "Debian tree: $(du --summarize --human-readable "${TREE}" | cut --fields=1) in $((SECONDS - started)) s"
}

main "$@"
