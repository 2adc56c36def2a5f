"""baresip (1.0.0, as Debian 12 has it) as a phone without sound card: it plays a tone and records what it hears.

It is driven through its ctrl_tcp module: JSON in netstrings. It needs an interface other than loopback.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import wave
from array import array
from typing import TYPE_CHECKING, Any, Self

from appliance.media.tone import sine
from tests.interop.exchange import wait_until

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["MODULES", "Baresip", "why_not"]

MODULES = "/usr/lib/baresip/modules"
WAIT_S = 15.0
STOP_S = 5.0
TONE_S = 30

CONFIG = """\
sip_listen {host}:{port}
net_interface phone0
audio_source aufile,{folder}/tone.wav
audio_player nil,nil
audio_alert nil,nil
ausrc_srate 8000
auplay_srate 8000
audio_channels 1
rtp_ports 40000-49999
ctrl_tcp_listen {host}:{control}
snd_path {folder}
module_path {modules}
module g711.so
module aufile.so
module sndfile.so
module_tmp uuid.so
module_tmp account.so
module_app menu.so
module_app contact.so
module_app ctrl_tcp.so
"""


def why_not() -> str:
    """Why baresip cannot be used here; empty when it can."""
    return "" if shutil.which("baresip") else "baresip is not installed"


class Baresip:
    """One phone, for as long as the `with` block runs. `ports` are for SIP and for control."""

    def __init__(
        self,
        folder: Path,
        number: str,
        password: str,
        server: tuple[str, int],
        *,
        ports: tuple[int, int],
        tone_hz: float = 440.0,
        transport: str = "udp",
        answers: bool = False,
        account: str = "",
        contacts: Sequence[str] = (),
        modules: Sequence[str] = (),
        screen: int | None = None,
    ) -> None:
        """`account` is what else its line in the accounts file says, such as `;sipnat=outbound`.

        `contacts` are numbers in its book, of which the first one is who gets its messages; with the module `presence` all of
        them are watched. `modules` are loaded as well;
        `screen` is a port for what it shows.
        """
        host = server[0]
        self.number = number
        self._folder = folder
        self._server = server
        self._control = (host, ports[1])
        self._events: list[dict[str, Any]] = []
        self._buffer = b""
        folder.mkdir()
        config = CONFIG.format(host=host, port=ports[0], control=ports[1], folder=folder, modules=MODULES)
        config += "".join(f"module_app {module}.so\n" for module in modules)
        self._screen = None if screen is None else (host, screen)
        self._shown: socket.socket | None = None
        if screen is not None:
            config += f"module cons.so\ncons_listen {host}:{screen}\n"
        (folder / "config").write_text(config)
        watched = ";presence=p2p" if "presence" in modules else ""
        book = "".join(f'"{each}" <sip:{each}@{host}:{server[1]}>{watched}\n' for each in contacts)
        (folder / "contacts").write_text(book)
        answer_mode = "auto" if answers else "manual"
        (folder / "accounts").write_text(
            f"<sip:{number}@{host}:{server[1]};transport={transport}>;auth_user={number};auth_pass={password}"
            f";regint=60;audio_codecs=PCMU/8000/1;answermode={answer_mode}{account}\n"
        )
        with wave.open(str(folder / "tone.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(8000)
            file.writeframes(sine(tone_hz, 8000 * TONE_S).tobytes())

    def __enter__(self) -> Self:
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                ["baresip", "-f", str(self._folder)], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self._socket: socket.socket | None = None
        try:
            wait_until(self._connect, f"baresip {self.number}", WAIT_S)
            if self._screen is not None:
                self._shown = socket.create_connection(self._screen, timeout=WAIT_S)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End it; what it recorded is complete then."""
        for each in (self._socket, self._shown):
            if each is not None:
                each.close()
        self._socket = self._shown = None
        if self._process.poll() is None:
            self._process.terminate()
        try:
            self._process.wait(timeout=STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    @property
    def log(self) -> str:
        return (self._folder / "log").read_text(errors="replace")

    def command(self, name: str, params: str = "") -> str:
        """Do what its menu would; its answer."""
        text = json.dumps({"command": name, "params": params, "token": name}).encode()
        assert self._socket is not None
        self._socket.sendall(b"%d:%s," % (len(text), text))
        answer = self._take(lambda item: item.get("response") and item.get("token") == name, name)
        assert answer["ok"], answer
        return str(answer["data"])

    def dial(self, number: str) -> None:
        self.command("dial", f"sip:{number}@{self._server[0]}:{self._server[1]}")

    def wait_event(self, kind: str) -> dict[str, Any]:
        """The next event of that kind that was not taken yet."""
        return self._take(lambda item: item.get("event") and item.get("type") == kind, kind)

    def wait_log(self, text: str) -> None:
        """Return once it has said that; for what may come before its control connection does."""
        wait_until(lambda: text in self.log, f"{text!r} from {self.number}", WAIT_S)

    def wait_shown(self, text: str) -> None:
        """Return once its screen says that."""
        assert self._shown is not None
        shown = b""
        while text.encode() not in shown:
            data = self._shown.recv(65_536)
            assert data, f"baresip {self.number} showed {shown!r}"
            shown += data

    def wait_heard(self, seconds: float) -> None:
        """Return once its recordings hold so much; whether they are clear, `heard` tells."""
        wait_until(lambda: self.recorded > seconds, f"{seconds} s of sound at {self.number}", WAIT_S)

    @property
    def recorded(self) -> float:
        """The seconds that its recordings hold so far."""
        return sum(file.stat().st_size for file in self._folder.glob("dump-*-dec.wav")) / (8000 * 2)

    def heard(self) -> array[int]:
        """The samples it heard in its latest call, 8000 a second. Stop it first."""
        newest = max(self._folder.glob("dump-*-dec.wav"))
        with wave.open(str(newest), "rb") as file:
            assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 8000)
            return array("h", file.readframes(file.getnframes()))

    def _connect(self) -> bool:
        assert self._process.poll() is None, f"baresip ended:\n{self.log}"
        try:
            self._socket = socket.create_connection(self._control, timeout=WAIT_S)
        except ConnectionRefusedError:
            return False
        return True

    def _take(self, is_wanted: Any, what: str) -> dict[str, Any]:
        while True:
            for at, item in enumerate(self._events):
                if is_wanted(item):
                    return self._events.pop(at)
            try:
                self._events.append(self._read())
            except TimeoutError:
                msg = f"baresip {self.number} gave no {what}; it gave {self._events} and said:\n{self.log}"
                raise AssertionError(msg) from None

    def _read(self) -> dict[str, Any]:
        length, colon, rest = self._buffer.partition(b":")
        while not colon or len(rest) <= int(length):
            assert self._socket is not None
            data = self._socket.recv(65_536)
            assert data, f"baresip {self.number} closed its control connection:\n{self.log}"
            self._buffer += data
            length, colon, rest = self._buffer.partition(b":")
        end = int(length)
        self._buffer = rest[end + 1 :]
        item: dict[str, Any] = json.loads(rest[:end])
        return item
