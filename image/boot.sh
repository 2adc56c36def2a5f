#!/usr/bin/env bash
# Starts a card in QEMU, as a generic arm64 board with UEFI: boot.sh [CARD [QEMU OPTION ...]]
#
# Without arguments: the image of this version on a card of its own (kept from start to start, so that the box
# remembers), the serial line on this terminal, and the telephony and console ports on loopback.
# With options the serial line and the network (-netdev ...,id=office) are the caller's; the process becomes QEMU, so its id is QEMU's.
# BRANCHBOX_WRITE_LOG=FILE has QEMU write down every write and flush of the card, in dm-log-writes' format.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=debian.sh
. "$(dirname "${BASH_SOURCE[0]}")/debian.sh"

CARD_GIB=4
FIRMWARE=/usr/share/qemu-efi-aarch64/QEMU_EFI.fd

# The image unpacked and enlarged, as a card is larger than what is written to it.
make_card() {
    local image=${DIST}/branchbox-${VERSION}-${TARGET}.img.xz card=$1
    [[ -f ${image} ]] || fail "there is no ${image}; make it: ./build.sh image"
    [[ -f ${card} && ${card} -nt ${image} ]] && return
    say "unpacking $(basename "${image}") to ${card#"${ROOT}/"}"
    mkdir --parents "$(dirname "${card}")"
    xz --decompress --stdout --threads=0 "${image}" >"${card}"
    truncate --size="${CARD_GIB}G" "${card}"
}

machine() {
    if [[ ${HOST} == "${TARGET}" && -w /dev/kvm ]]; then
        printf '%s\n' -accel kvm -cpu host
    else
        printf '%s\n' -accel tcg,thread=multi -cpu cortex-a72
    fi
}

# The card as QEMU's options name it. Only the log's record of a flush counts, so neither file need be flushed for it.
drive() { # CARD
    if [[ -z ${BRANCHBOX_WRITE_LOG:-} ]]; then
        echo "if=none,id=card,file=$1,format=raw"
        return
    fi
    printf '%s' "if=none,id=card,driver=blklogwrites,log-sector-size=512" \
        ",file.driver=raw,file.file.driver=file,file.cache.no-flush=on,file.file.filename=$1" \
        ",log.driver=file,log.cache.no-flush=on,log.filename=${BRANCHBOX_WRITE_LOG}"
}

# QEMU's log of "write zeroes" gets out of order when other writes come meanwhile (mended in 9.0): the card has no such.
disk() {
    if [[ -z ${BRANCHBOX_WRITE_LOG:-} ]]; then
        echo virtio-blk-pci,drive=card
    else
        echo virtio-blk-pci,drive=card,write-zeroes=off,discard=off
    fi
}

main() {
    local card=${1:-} processor
    need_packages qemu-system-arm qemu-efi-aarch64 xz-utils
    mapfile -t processor < <(machine)
    if [[ -z ${card} ]]; then
        card=${BUILD}/card.img
        make_card "${card}"
        say "console: https://localhost:18443, SIP: 127.0.0.1:15060 (UDP and TCP). The box is up in about a minute."
        say "To end it: Ctrl-A, then x. To begin again with a new card: rm ${card#"${ROOT}/"}"
        set -- "${card}" -serial mon:stdio -netdev \
            user,id=office,hostfwd=udp:127.0.0.1:15060-:5060,hostfwd=tcp:127.0.0.1:15060-:5060,hostfwd=tcp:127.0.0.1:18443-:443
    fi
    shift
    exec qemu-system-aarch64 -M virt "${processor[@]}" -smp 2 -m 1024 -nodefaults -display none -bios "${FIRMWARE}" \
        -device virtio-rng-pci -drive "$(drive "${card}")" -device "$(disk)" \
        -device virtio-net-pci,netdev=office,romfile= "$@"
}

main "$@"
