"""A Raspberry Pi 3 in QEMU, and the FAT partition of its card.

Its firmware is played: what config.txt calls the kernel is started with the board's device tree. That is U-Boot, and from there
on everything is as on the board, but for two things. QEMU's watchdog fires as soon as it is started; and there are no
report and monitor ports.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from tests.image.machine import Machine

__all__ = ["NO_WATCHDOG", "FatPartition", "RaspberryPi", "RaspberryPiWithWornCard"]

MIB = 1024 * 1024
FAT_MIB = 256
"Also in image/card.sh."
TREE = "bcm2837-rpi-3-b.dtb"
NO_WATCHDOG = {
    "watchdog=on": "watchdog=off",
    "watchdog.open_timeout=120": "systemd.watchdog_sec=0",
}
"What a slot's command line says otherwise when its Linux shall live."


class FatPartition:
    """The first partition of a card whose power is off."""

    def __init__(self, card: Path) -> None:
        self._card = card
        self._image = f"{card}@@1M"

    def read(self, name: str) -> bytes:
        return self._run("mtype", f"::{name}")

    def write(self, name: str, content: bytes) -> None:
        self._run("mcopy", "-o", "-", f"::{name}", content=content)

    @property
    def names(self) -> set[str]:
        """What lies in it, folders with a / at the end."""
        return {line.removeprefix("::/") for line in self._run("mdir", "-b", "::").decode().split()}

    def holds(self, secret: str) -> bool:
        """Whether any octet of the partition, in use or not, belongs to it."""
        with self._card.open("rb") as file:
            file.seek(MIB)
            return secret.encode() in file.read(FAT_MIB * MIB)

    def make_folder(self, name: str) -> None:
        self._run("mmd", f"::{name}")

    def rename(self, name: str, new: str) -> None:
        self._run("mren", f"::{name}", f"::{new}")

    def replace(self, name: str, replaced: dict[str, str]) -> None:
        """Change texts in a file; each must be there."""
        content = self.read(name).decode()
        for was, becomes in replaced.items():
            assert was in content
            content = content.replace(was, becomes)
        self.write(name, content.encode())

    def _run(self, tool: str, *arguments: str, content: bytes | None = None) -> bytes:
        done = subprocess.run(
            [tool, "-i", self._image, *arguments], input=content, capture_output=True, check=False
        )
        assert done.returncode == 0, (tool, arguments, done.stderr)
        return done.stdout


class RaspberryPi(Machine):
    """Power on at `with`, power cut at its end."""

    DRIVE = "if=sd,format=raw,file="

    def last_words(self) -> str:
        return self.serial.transcript

    def _connect_ports(self) -> None:
        pass

    def _qemu(self) -> list[str | Path]:
        fat = FatPartition(self._card)
        kernel = re.search(r"^kernel=(\S+)$", fat.read("config.txt").decode(), re.MULTILINE)
        assert kernel is not None, "config.txt names no kernel"
        for name in (kernel[1], TREE):
            (self._folder / name).write_bytes(fat.read(name))
        return [
            *("qemu-system-aarch64", "-M", "raspi3b", "-display", "none", "-monitor", "none"),
            *("-kernel", self._folder / kernel[1], "-dtb", self._folder / TREE),
            *("-drive", f"{self.DRIVE}{self._card}"),
            *("-netdev", self._network(), "-device", "usb-net,netdev=office"),
            # The second line is the one on the board's header.
            *("-chardev", self._socket("serial"), "-serial", "null", "-serial", "chardev:serial"),
        ]


class RaspberryPiWithWornCard(RaspberryPi):
    """Its card is read, and does not keep what is written."""

    DRIVE = (
        "if=sd,driver=blkdebug,inject-error.0.event=none,inject-error.0.iotype=write,"
        "image.driver=file,image.filename="
    )
