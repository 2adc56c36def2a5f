#!/usr/bin/env bash
# Puts the card together: Debian's tree, our files and the executable, into dist/branchbox-VERSION-arm64.img.xz.
#
#   1  FAT     firmware, and a folder with kernel and initramfs for each slot, for a Raspberry Pi and for UEFI alike
#   2  root a  squashfs, never written while it runs
#   3  root b  empty, until the first update
#   4  data    ext4, grown to the card at the first start
#
# No loop device is used: each file system is made in a file of its own. appliance/system/update/card.py says how the
# slots are started, and knows the numbers and the disk's id.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=debian.sh
. "$(dirname "${BASH_SOURCE[0]}")/debian.sh"

DISK_ID=b0a4cb0c # also in systemd/branchbox-{first-boot,grow-data,reset-file}.service, and in fstab and first-boot of overlay/
MIB=2048         # sectors
FAT_MIB=256      # firmware takes 26, a slot 41, and an update may grow
ROOT_MIB=256     # of each slot; more than twice what one needs today, for it can never grow
DATA_MIB=64      # as small as ext4 is comfortable with; it grows to the card
DATA_MOST=32768  # blocks of 4 KiB times 1024: the tables leave room to grow to 128 GiB
OPTIONS="rootfstype=squashfs ro branchbox.overlay"
OPTIONS+=" quiet loglevel=3 systemd.show_status=false panic=20"

TREE=${BUILD}/root
PARTS=${BUILD}/parts
IMAGE=${BUILD}/branchbox-${VERSION}-${TARGET}.img
RESULT=${DIST}/$(basename "${IMAGE}").xz
BILL=${DIST}/branchbox-${VERSION}-${TARGET}.cdx.json

in_tree() { as_root chroot "${TREE}" "$@"; }

copy_tree() {
    as_root rm --recursive --force --one-file-system "${TREE}"
    as_root cp --archive --reflink=auto "${BUILD}/rootfs" "${TREE}"
}

# Our own files: what mirrors the root, the units, the executable with its folder.
add_product() {
    as_root cp --recursive --no-preserve=ownership,timestamps "${ROOT}/image/overlay/." "${TREE}/"
    as_root cp --recursive --no-preserve=ownership,timestamps "${ROOT}/systemd/." "${TREE}/usr/lib/systemd/system/"
    as_root cp --recursive --no-preserve=ownership "${BUILD}/freeze-${TARGET_MACHINE}" "${TREE}/usr/lib/branchbox"
    as_root tee "${TREE}/usr/lib/branchbox/base" <<<"${VERSION}" >/dev/null
    if [[ -n ${BRANCHBOX_UPDATE_KEYS:-} ]]; then
        as_root install --mode=0644 "${BRANCHBOX_UPDATE_KEYS}" "${TREE}/usr/lib/branchbox/update-keys.json"
    fi
    as_root mkdir "${TREE}/data"
    in_tree systemd-sysusers
}

apply_presets() {
    local action unit
    while read -r action unit; do
        [[ ${action} == enable || ${action} == disable ]] || continue
        in_tree systemctl --quiet --no-reload "${action}" "${unit}"
    done <"${ROOT}/image/overlay/usr/lib/systemd/system-preset/10-branchbox.preset"
    # Work for a system that is changed in place; this one never is, and would do it anew at every start.
    in_tree systemctl --quiet mask systemd-firstboot.service systemd-repart.service systemd-hwdb-update.service \
        systemd-journal-catalog-update.service systemd-update-done.service systemd-machine-id-commit.service
    # What nothing here uses, and what each start would pay for.
    in_tree systemctl --quiet mask dev-hugepages.mount dev-mqueue.mount sys-kernel-debug.mount sys-kernel-tracing.mount \
        sys-fs-fuse-connections.mount systemd-pstore.service
}

# What served the making of the tree, and what must differ from box to box.
clean_tree() {
    local module modules
    modules=$(echo "${TREE}"/usr/lib/modules/*)
    while read -r module; do
        as_root rm --recursive --force "${modules}/kernel/${module:?}"
    done < <(sed --expression='s/#.*//' --expression='/^\s*$/d' "${ROOT}/image/modules-left-out")
    in_tree depmod "$(basename "${modules}")"
    as_root rm --recursive --force "${TREE}"/boot "${TREE}"/usr/lib/linux-image-* "${TREE}"/etc/apt "${TREE}"/var/lib/apt \
        "${TREE}"/var/cache "${TREE}"/var/log "${TREE}"/var/lib/dpkg/*-old "${TREE}"/usr/share/initramfs-tools \
        "${TREE}"/var/lib/systemd/random-seed "${TREE}"/etc/*- "${TREE}"/root/.ssh
    as_root mkdir --parents "${TREE}"/boot "${TREE}"/var/cache "${TREE}"/var/log
    as_root truncate --size=0 "${TREE}/etc/machine-id"
}

# What the image consists of, with versions and licences, beside it and in it. The texts lie in /usr/share/doc there, and those
# of what is in the executable in its folder `licences`.
write_bill() {
    local python=${BUILD}/freeze-python site=${BUILD}/freeze-site report=${BUILD}/freeze-site.json
    if [[ ${HOST} == "${TARGET}" ]]; then
        python=/
        site=$(echo "${BUILD}"/freeze-native/lib/python3*/site-packages)
        report=${BUILD}/freeze-native/report.json
    fi
    (cd "${ROOT}" && "${PYTHON}" -m image.sbom --version "${VERSION}" --root "${TREE}" --frozen "${BUILD}/freeze-${TARGET_MACHINE}" \
        --unpacked "${BUILD}/unpacked" --unpacked-list image/packages-unpacked \
        --python-tree "${python}" --site "${site}" --report "${report}" --output "${BILL}")
    as_root install -D --mode=0644 "${BILL}" "${TREE}/usr/share/doc/branchbox/sbom.cdx.json"
    say "${BILL#"${ROOT}/"}: $(grep --count '"bom-ref"' "${BILL}") components, $(size_of "${BILL}")"
}

# What a slot needs on the FAT partition, as an update brings it: the templates still leave open which slot it will be.
make_slot() {
    local folder=${PARTS}/slot template
    mkdir --parents "${folder}"
    cp "${BUILD}"/rootfs/boot/vmlinuz-* "${folder}/vmlinuz"
    as_root install --mode=0644 --owner="$(id --user)" "${BUILD}"/rootfs/boot/initrd.img-* "${folder}/initrd.img"
    for template in entry.conf u-boot.env; do
        sed --expression="s|@OPTIONS@|${OPTIONS}|" --expression="s|@VERSION@|${VERSION}|" \
            "${ROOT}/image/slot/${template}" >"${folder}/${template}"
    done
    (cd "${folder}" && tar --create --file="${PARTS}/boot.tar" --format=ustar --sort=name --owner=0 --group=0 \
        --numeric-owner --mode=0644 --mtime="@${SOURCE_DATE_EPOCH}" -- *)
}

# A template for slot a, as appliance/system/update/card.py fills it for the slot that is kept: fill TEMPLATE > FILE
fill() {
    sed --expression='s|@SLOT@|a|' --expression="s|@ROOT@|PARTUUID=${DISK_ID}-02|" \
        --expression='s|@ORDER@|branchbox-2-kept|' --expression='s|@TRIAL@||' "$1"
}

# U-Boot, which the Raspberry Pi's firmware starts as if it were the kernel, with its script. Its environment keeps it
# from waiting for keys: an unconnected serial line types them.
add_u_boot() { # FOLDER
    cp "${BUILD}/unpacked/usr/lib/u-boot/rpi_arm64/u-boot.bin" "$1/"
    mkimage -A arm64 -T script -C none -n Branchbox -d "${ROOT}/image/u-boot/boot.cmd" "$1/boot.scr" >/dev/null
    mkenvimage -s 0x4000 -o "$1/uboot.env" "${ROOT}/image/u-boot/environment"
}

make_fat() {
    local unpacked=${BUILD}/unpacked folder=${PARTS}/fat slot=${PARTS}/slot
    mkdir --parents "${folder}"/{EFI/BOOT,loader/entries,u-boot}
    cp "${unpacked}"/usr/lib/raspi-firmware/{bootcode.bin,start*.elf,fixup*.dat} "${folder}/"
    cp "${BUILD}"/rootfs/usr/lib/linux-image-*/broadcom/bcm2{711,837}*.dtb "${folder}/"
    add_u_boot "${folder}"
    cp "${unpacked}/usr/lib/systemd/boot/efi/systemd-bootaa64.efi" "${folder}/EFI/BOOT/BOOTAA64.EFI"
    cp --recursive "${ROOT}/image/boot-partition/." "${folder}/"
    cp --recursive "${slot}" "${folder}/a"
    fill "${slot}/entry.conf" >"${folder}/loader/entries/kept.conf"
    fill "${slot}/u-boot.env" >"${folder}/u-boot/kept.env"
    find "${folder}" -exec touch --no-dereference --date="@${SOURCE_DATE_EPOCH}" {} +
    mkfs.vfat --invariant -F 32 -n BRANCHBOX -i "${DISK_ID}" -C "${PARTS}/1" $((FAT_MIB * 1024)) >/dev/null
    (cd "${folder}" && TZ=UTC mcopy -i "${PARTS}/1" -s -m -Q ./* ::)
}

make_root() {
    as_root env --unset=SOURCE_DATE_EPOCH mksquashfs "${TREE}" "${PARTS}/2" -quiet -no-progress -comp zstd -Xcompression-level 15 -noappend \
        -mkfs-time "${SOURCE_DATE_EPOCH}" -all-time "${SOURCE_DATE_EPOCH}"
}

make_data() {
    truncate --size="${DATA_MIB}M" "${PARTS}/4"
    E2FSPROGS_FAKE_TIME=${SOURCE_DATE_EPOCH} mkfs.ext4 -q -L branchbox-data -U "00000000-0000-4000-8000-0000${DISK_ID}" \
        -E "resize=$((DATA_MOST * 1024)),lazy_itable_init=0,hash_seed=00000000-0000-4000-8000-0000${DISK_ID}" -m 1 "${PARTS}/4"
}

# The table, then each file system at its place: all starts are whole MiB.
make_disk() {
    local root_start data_start
    [[ $(stat --format=%s "${PARTS}/2") -le $((ROOT_MIB * 1048576)) ]] || fail "the root is larger than its ${ROOT_MIB} MiB slot"
    root_start=$((1 + FAT_MIB))
    data_start=$((root_start + 2 * ROOT_MIB))
    rm --force "${IMAGE}"
    truncate --size="$((data_start + DATA_MIB))M" "${IMAGE}"
    sfdisk --quiet "${IMAGE}" <<TABLE
label: dos
label-id: 0x${DISK_ID}
1 : start=${MIB}, size=$((FAT_MIB * MIB)), type=c, bootable
2 : start=$((root_start * MIB)), size=$((ROOT_MIB * MIB)), type=83
3 : start=$(((root_start + ROOT_MIB) * MIB)), size=$((ROOT_MIB * MIB)), type=83
4 : start=$((data_start * MIB)), size=$((DATA_MIB * MIB)), type=83
TABLE
    dd if="${PARTS}/1" of="${IMAGE}" bs=1M seek=1 conv=notrunc,sparse status=none
    dd if="${PARTS}/2" of="${IMAGE}" bs=1M seek="${root_start}" conv=notrunc status=none
    dd if="${PARTS}/4" of="${IMAGE}" bs=1M seek="${data_start}" conv=notrunc,sparse status=none
    say "parts: FAT ${FAT_MIB} MiB, root $(size_of "${PARTS}/2") of ${ROOT_MIB} MiB twice, data ${DATA_MIB} MiB; card $(size_of "${IMAGE}")"
}

main() {
    local started=${SECONDS}
    need_packages dosfstools mtools u-boot-tools squashfs-tools fdisk e2fsprogs xz-utils
    need_emulation
    say "card: our files"
    copy_tree
    add_product
    apply_presets
    clean_tree
    mkdir --parents "${DIST}"
    write_bill
    say "card: file systems, after $((SECONDS - started)) s"
    as_root rm --recursive --force "${PARTS}"
    mkdir --parents "${PARTS}" "${DIST}"
    make_slot
    make_fat
    "${ROOT}/image/leaks.sh" "${TREE}" "${PARTS}/fat"
    make_root
    make_data
    make_disk
    say "card: compressing, after $((SECONDS - started)) s"
    # Level 1: nearly all of it is compressed already; higher levels cost minutes and gain a percent.
    xz --threads=0 -1 --force --stdout "${IMAGE}" >"${RESULT}"
    say "dist/$(basename "${RESULT}"): $(size_of "${RESULT}") in $((SECONDS - started)) s"
}

main "$@"
