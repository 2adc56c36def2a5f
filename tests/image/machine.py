"""A card in an emulated board: QEMU, its serial line, its report port, and ports forwarded on loopback."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.image.line import Line
from tests.image.report import Report

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["LoggedMachine", "Machine"]

TOP = Path(__file__).parents[2]
BOOT = TOP / "image" / "boot.sh"
SOCKETS_SECONDS = 60.0
"QEMU makes its sockets at once; image/boot.sh may have to install it first."
REPORT_SECONDS = 120.0
"systemd-analyze and its like, in software emulation."


class Machine:
    """Power on at `with`, power cut at its end: QEMU is killed, not asked. No write is held back by QEMU itself."""

    def __init__(self, card: Path, forwards: dict[tuple[str, int], int]) -> None:
        """`forwards`: (protocol, the box's port) -> this machine's port on 127.0.0.1."""
        self._card = card
        self._forwards = forwards
        # Of its own, since a socket's path has 107 octets at most.
        self._folder = Path(tempfile.mkdtemp(prefix="branchbox-"))
        self._open = ExitStack()
        self._process: subprocess.Popen[bytes] | None = None
        self.powered_at = 0.0

    def __enter__(self) -> Machine:
        self.powered_at = time.monotonic()
        log = self._open.enter_context((self._folder / "qemu").open("wb"))
        self._process = subprocess.Popen(self._qemu(), stdout=log, stderr=log)
        try:
            self.serial = Line(self._connect("serial"))
            self._open.callback(self.serial.close)
            self._connect_ports()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self._open.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def is_on(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def forward_udp(self, port: int, own: int) -> None:
        """Bring what is sent to 127.0.0.1:`own` to the box's `port`, from now on."""
        line = f"hostfwd_add office udp:127.0.0.1:{own}-:{port}"
        said = self._command("human-monitor-command", **{"command-line": line})
        assert not said, said

    def report(self) -> Report:
        """What the box says of itself now."""
        self._report.settimeout(REPORT_SECONDS)
        self._report.sendall(b"report\n")
        text = b""
        while not text.endswith(b"## end\n"):
            piece = self._report.recv(65536)
            assert piece, "the report port was closed"
            text += piece
        return Report.parse(text.decode(errors="replace"))

    def last_words(self) -> str:
        """For a start that failed: what QEMU and the serial line said, and the report when there is one."""
        words = [(self._folder / "qemu").read_text(errors="replace"), self.serial.transcript]
        try:
            report = self.report()
        except TimeoutError:
            words += [
                "no report",
                str(self._command("human-monitor-command", **{"command-line": "info registers -a"})),
            ]
        else:
            words += [report[title] for title in ("jobs", "failed", "warnings", "service")]
        return "\n".join(words)

    def _connect_ports(self) -> None:
        self._report = self._connect("report")
        self._monitor = self._connect("monitor")
        self._monitor_lines = self._open.enter_context(self._monitor.makefile("rb"))
        self._command("qmp_capabilities")

    def _network(self) -> str:
        network = ["user", "id=office", "ipv6=off"]
        for (protocol, port), own in self._forwards.items():
            network.append(f"hostfwd={protocol}:127.0.0.1:{own}-:{port}")
        return ",".join(network)

    def _qemu(self) -> list[str | Path]:
        """What is to be QEMU: boot.sh ends by becoming it, so nothing outlives this process."""
        return [
            *(BOOT, self._card, "-netdev", self._network()),
            *("-chardev", self._socket("serial"), "-serial", "chardev:serial"),
            *("-chardev", self._socket("report"), "-device", "virtio-serial-pci"),
            *("-device", "virtserialport,chardev=report,name=branchbox.report"),
            *("-chardev", self._socket("monitor"), "-mon", "chardev=monitor,mode=control"),
        ]

    def _socket(self, name: str) -> str:
        return f"socket,id={name},path={self._folder / name},server=on,wait=off"

    def _connect(self, name: str) -> socket.socket:
        give_up = time.monotonic() + SOCKETS_SECONDS
        while True:
            line = socket.socket(socket.AF_UNIX)
            try:
                line.connect(str(self._folder / name))
            except OSError:
                line.close()
                said = (self._folder / "qemu").read_text(errors="replace")
                assert self.is_on, f"QEMU ended: {said}"
                assert time.monotonic() < give_up, f"QEMU does not come: {said}"
                time.sleep(0.1)
            else:
                return self._open.enter_context(line)

    def _command(self, name: str, **arguments: Any) -> Any:
        """One QMP command; its result. Events that come between are passed over."""
        request: dict[str, Any] = {"execute": name}
        if arguments:
            request["arguments"] = arguments
        self._monitor.sendall(json.dumps(request).encode() + b"\n")
        for raw in self._monitor_lines:
            answer = json.loads(raw)
            assert "error" not in answer, answer
            if "return" in answer:
                return answer["return"]
        msg = "QEMU closed its monitor"
        raise AssertionError(msg)


class LoggedMachine(Machine):
    """The same, and every write and flush of its card goes into a log that tests.image.write_log reads."""

    def __init__(self, card: Path, forwards: dict[tuple[str, int], int], log: Path) -> None:
        super().__init__(card, forwards)
        self._log = log
        log.touch()

    def _qemu(self) -> list[str | Path]:
        return ["env", f"BRANCHBOX_WRITE_LOG={self._log}", *super()._qemu()]
