# Which slot a Raspberry Pi starts. U-Boot runs this, for there is no systemd-boot.
#
#   u-boot/kept.env    the slot that is started when nothing is tried
#   u-boot/trial.env   the slot on trial
#   u-boot/tries       one octet: "1" while the slot on trial has a start left
#
# The try is taken before the slot is started, by overwriting that one octet where it lies: no other file and no table of
# the file system changes by it, and what a power cut leaves there is still the "1" or none. A slot whose try cannot be
# taken, because the card cannot be written, is not started.
#
# appliance/system/update/card.py writes those files; image/card.sh turns this script into boot.scr. ${devtype} and
# ${devnum} are where it was found, by the environment beside it or, from USB, by U-Boot's own.

setenv part ${devtype} ${devnum}:1
# All within 256 MiB: on a board with 512 MiB the firmware's device tree and U-Boot itself lie above.
setenv scratch 0x05000000
setenv tree 0x06000000
setenv kernel 0x08000000
setenv initrd 0x0c000000
# Where they are loaded to is where they stay.
setenv fdt_high ffffffffffffffff
setenv initrd_high ffffffffffffffff
# The firmware's device tree has the board's memory, addresses and overlays in it. It may lie where the kernel will.
test -n "${fdt_addr}" || setenv fdt_addr ${fdtcontroladdr}
fdt addr ${fdt_addr}
fdt move ${fdt_addr} ${tree} 0x40000

# `whole` is the last line of such a file.
setenv read_slot 'load ${part} ${scratch} u-boot/${file} && env import -t ${scratch} ${filesize} slot watchdog bootargs whole && test "${whole}" = yes'

setenv is_left 'mw.b ${scratch} 0 && load ${part} ${scratch} u-boot/tries 1 && itest.b *${scratch} == 31'
setenv is_taken 'mw.b ${scratch} 0 && load ${part} ${scratch} u-boot/tries 1 && itest.b *${scratch} == 30'
setenv take_try 'mw.b ${scratch} 30 && fatwrite ${part} ${scratch} u-boot/tries 1 && run is_taken'

# A kernel on trial that hangs before it drives the watchdog is reset after 16 s. Linux' drivers/watchdog/bcm2835_wdt.c has the
# registers and bits: the time, 0xfffff/65536 s, and to what is in the other after a reset, 0x102, "full reset" when that is
# over. Only the BCM2711 (Raspberry Pi 4) has an emmc2bus, and another place for them.
setenv arm 'setenv io 0x3f; if fdt get name none /emmc2bus 0; then setenv io 0xfe; fi; mw.l ${io}100024 5a0fffff; mw.l ${io}10001c 5a000122'

setenv load_slot 'echo "Branchbox: slot ${slot}${trial}"; load ${part} ${kernel} ${slot}/vmlinuz && load ${part} ${initrd} ${slot}/initrd.img && setenv initrd_size ${filesize}'
setenv start 'booti ${kernel} ${initrd}:${initrd_size} ${tree}'

if run is_left; then
    setenv file trial.env
    setenv trial ' on trial, no try left'
    if run take_try && run read_slot && run load_slot; then
        test "${watchdog}" = on && run arm
        run start
    fi
fi
setenv trial
setenv file kept.env
if run read_slot && run load_slot; then
    run start
fi
# Between two steps of a rename this may be all there is.
setenv file kept.env.new
if run read_slot && run load_slot; then
    run start
fi
echo "Branchbox: no slot can be started"
sleep 10
reset
