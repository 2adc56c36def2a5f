"""Linphone (5.1, as Debian 12 has it) as a phone without sound card, driven through its `linphone-daemon`.

Commands go in and answers come out as lines; what happens at the phone is asked for as events, one by one. It wants a default
route, and an interface other than loopback.
"""

from __future__ import annotations

import os
import re
import select
import shutil
import subprocess
from array import array
from pathlib import Path
from typing import TYPE_CHECKING, Self

from appliance.media.tone import tone_share
from tests.interop.exchange import wait_until

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Linphone", "why_not"]

WAIT_S = 20.0
STOP_S = 5.0
PROMPT = b"daemon-linphone>"
HEARD = "heard.raw"
RATE_HZ = 8000

CONFIG = """\
[sip]
sip_port={port}
sip_tcp_port={tcp}
sip_tls_port=-2
guess_hostname=0
register_only_when_network_is_up=0
use_ipv6=0
[net]
firewall_policy=0
[rtp]
audio_rtp_port={audio}
[misc]
uuid=0
[sound]
local_ring=
remote_ring=
"""

ASOUND = """\
pcm.!default {{ type asym playback.pcm "kept" capture.pcm "nowhere" }}
pcm.kept {{ type plug slave {{ pcm "onto_disk" rate 8000 format S16_LE channels 1 }} }}
pcm.onto_disk {{ type file slave.pcm {{ type null }} file "{file}" format "raw" }}
pcm.nowhere {{ type hw card 99 }}
"""
"""A loudspeaker that is a file, of the sound since streams began last, and no microphone: one that never waits (`null`) is read
without end."""

FRIEND = """\
[friend_{at}]
url=<{address}>
pol=accept
subscribe=1
"""


def why_not() -> str:
    """Why Linphone cannot be used here; empty when it can."""
    return "" if shutil.which("linphone-daemon") else "linphone-daemon is not installed"


class Linphone:
    """One phone, for as long as the `with` block runs. `ports` are for SIP and for sound."""

    def __init__(
        self,
        folder: Path,
        number: str,
        password: str,
        server: tuple[str, int],
        *,
        ports: tuple[int, int],
        transport: str = "udp",
        answers: bool = False,
        friends: Sequence[str] = (),
        keeps_sound: bool = False,
    ) -> None:
        """`friends` are numbers whose presence it watches; `keeps_sound`: for `wait_hears`."""
        self.number = number
        self._folder = folder
        self._password = password
        self._server = server
        self._transport = transport
        self._answers = answers
        self._port = ports[0]
        self._text = self._news = b""  # what it has said, and no answer or event was found in yet
        (folder / ".local" / "share" / "linphone").mkdir(parents=True)
        udp, tcp = (ports[0], -2) if transport == "udp" else (-2, ports[0])
        config = CONFIG.format(port=udp, tcp=tcp, audio=ports[1])
        for at, each in enumerate(friends):
            config += FRIEND.format(at=at, address=self.address(each))
        (folder / "config").write_text(config)
        if keeps_sound:
            (folder / ".asoundrc").write_text(ASOUND.format(file=folder / HEARD))

    def __enter__(self) -> Self:
        files = [str(self._folder / each) for each in ("config", "log", "errors")]
        command = ["linphone-daemon", "--config", files[0], "--log", files[1], "--disable-stats-events"]
        command += ["--auto-answer"] if self._answers else []
        with Path(files[2]).open("wb") as errors:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                cwd=self._folder,
                env={**os.environ, "HOME": str(self._folder)},  # it keeps what it knows at home
            )
        try:
            self._take(PROMPT)
            self._register()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _register(self) -> None:
        # Until it is told so once more it listens nowhere.
        self.command(f"port sip {self._port} {self._transport}")
        host, port = self._server
        # In whose name it writes to an address without a port.
        self.command(f"contact sip:{self.number}@{host}")
        proxy = f"sip:{host}:{port};transport={self._transport}"
        self.command(f"register sip:{self.number}@{host}:{port} {proxy} {self._password}")

    def stop(self) -> None:
        """End it; it unregisters first."""
        if self._process.poll() is None:
            self._process.terminate()
        try:
            self._process.wait(timeout=STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    @property
    def log(self) -> str:
        return (self._folder / "log").read_text(errors="replace")

    def wait_log(self, *texts: str) -> None:
        """Return once it has logged these, in this order."""
        pattern = re.compile(".*".join(map(re.escape, texts)), re.DOTALL)
        wait_until(lambda: pattern.search(self.log) is not None, f"{texts} from {self.number}", WAIT_S)

    def wait_hears(self, tone_hz: float) -> None:
        """Return once it has heard that tone, and hardly anything else, for half a second."""

        def is_heard() -> bool:
            file = self._folder / HEARD
            data = file.read_bytes() if file.exists() else b""
            samples = array("h", data[: len(data) // 2 * 2])[-RATE_HZ // 2 :]
            return len(samples) == RATE_HZ // 2 and tone_share(samples, tone_hz) > 0.9

        wait_until(is_heard, f"{tone_hz:.0f} Hz at {self.number}", WAIT_S)

    def command(self, text: str) -> str:
        """Do that; its answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(text.encode() + b"\n")
        self._process.stdin.flush()
        answer = self._take(PROMPT).rpartition(text)[2]
        assert "Status: Ok" in answer, f"{self.number}: {text}: {answer}"
        return answer

    def dial(self, number: str) -> str:
        """Call that number; the call's name."""
        answer = self.command(f"call {self.address(number)}")
        # What becomes of the call may follow at once, with its name once more.
        name, *_ = re.findall(r"^Id: (\d+)", answer, re.MULTILINE)
        return str(name)

    def address(self, number: str) -> str:
        host, port = self._server
        return f"sip:{number}@{host}:{port}"

    def wait_call(self, state: str) -> str:
        """Return once a call has come into this state, `StreamsRunning` and so on; the call's name."""
        pattern = re.compile(rb"Event: LinphoneCall" + state.encode() + rb"\n.*?Id: (\d+)\n", re.DOTALL)
        while (found := pattern.search(self._news)) is None:
            self._read(state)
        self._news = self._news[found.end() :]
        return found[1].decode()

    def _take(self, mark: bytes) -> str:
        while mark not in self._text:
            self._read(mark.decode())
        answer, _, self._text = self._text.partition(mark)
        return answer.decode(errors="replace")

    def _read(self, what: str) -> None:
        assert self._process.stdout is not None
        pipe = self._process.stdout.fileno()
        assert select.select([pipe], [], [], WAIT_S)[0], f"no {what} from {self.number}: {self._news!r}"
        data = os.read(pipe, 65_536)
        assert data, f"linphone {self.number} ended: {self._text!r}"
        self._text += data
        self._news += data
