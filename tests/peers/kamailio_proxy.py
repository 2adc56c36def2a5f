"""Kamailio from Debian as a proxy between phones and an exchange: it writes its Path, and routes by Route."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path

__all__ = ["KamailioProxy", "why_not"]

CONFIG = """\
debug=1
log_stderror=yes
children=1
tcp_children=1
listen=udp:{host}:{port}
listen=tcp:{host}:{port}
auto_aliases=no
mpath="{modules}"
loadmodule "pv.so"
loadmodule "sl.so"
loadmodule "tm.so"
loadmodule "rr.so"
loadmodule "path.so"
request_route {{
    if (method == "OPTIONS") {{
        sl_send_reply("200", "OK");
        exit;
    }}
    if (method == "REGISTER") {{
        add_path();
        t_relay();
        exit;
    }}
    loose_route();
    if (method == "INVITE") record_route();
    t_relay();
}}
"""
STOP_S = 20.0


def why_not() -> str:
    """Why Kamailio cannot be used here; empty when it can."""
    return "" if _program() else "kamailio is not installed"


def _program() -> str | None:
    return shutil.which("kamailio", path=f"{os.environ['PATH']}:/usr/sbin")


class KamailioProxy:
    """One proxy, for as long as the `with` block runs."""

    def __init__(self, folder: Path, host: str, port: int) -> None:
        self.address = (host, port)
        self._folder = folder
        modules = next(Path("/usr/lib").glob("*/kamailio/modules"))
        (folder / "kamailio.cfg").write_text(CONFIG.format(host=host, port=port, modules=f"{modules}/"))

    def __enter__(self) -> KamailioProxy:
        program = _program()
        assert program is not None
        with (self._folder / "kamailio.log").open("wb") as log:
            self._process = subprocess.Popen(
                [
                    *(program, "-DD", "-f", str(self._folder / "kamailio.cfg"), "-m", "16", "-M", "4"),
                    *("-Y", str(self._folder), "-P", str(self._folder / "kamailio.pid")),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(timeout=STOP_S)

    @property
    def log(self) -> str:
        return (self._folder / "kamailio.log").read_text(errors="replace")
