"""Kamailio from Debian as a carrier: an edge proxy and, at another port, a registrar that asks for a proof.

With a `world`, the port of the telephones beyond, it carries calls, too: proven ones out, and in to whoever is registered.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

from tests.peers.probe import is_open

__all__ = ["DOMAIN", "LEAST", "LONGEST", "REALM", "KamailioCarrier", "why_not"]

DOMAIN = "ims.example"
REALM = "198.51.100.30"
LEAST = 600
"Seconds below which the registrar answers 423."
LONGEST = 7
"Seconds for which it registers all the same, so that a refresh is due soon."

CONFIG = """\
debug=1
log_stderror=yes
children=1
disable_tcp=yes
dns=no
rev_dns=no
listen=udp:{host}:{edge}
listen=udp:{host}:{registrar}
auto_aliases=no
mpath="{modules}"
loadmodule "kex.so"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "rr.so"
loadmodule "path.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "auth.so"
modparam("usrloc", "db_mode", 0)
modparam("registrar", "max_expires", {longest})
modparam("registrar", "use_path", 1)
modparam("auth", "algorithm", "{algorithm}")
modparam("auth", "nonce_expire", {nonce_expire})
modparam("auth", "qop", "auth")
request_route {{
    if (method == "OPTIONS") {{
        sl_send_reply("200", "OK");
        exit;
    }}
    if (method != "REGISTER" && {world} == 0) {{
        sl_send_reply("405", "Method Not Allowed");
        exit;
    }}
    if (method == "CANCEL") {{
        t_relay();
        exit;
    }}
    # The edge knows nothing but the way: out to the registrar, in to whom the Path has led here.
    if ($Rp == {edge}) {{
        loose_route();
        if (method == "REGISTER") {{
            add_path();
        }} else if (method == "INVITE") {{
            record_route();
        }}
        if ($rd == "{domain}") {{
            $du = "sip:{host}:{registrar}";
        }}
        t_relay();
        exit;
    }}
    if (method == "REGISTER") {{
        route(REGISTERS);
        exit;
    }}
    if (has_totag()) {{
        loose_route();
        t_relay();
        exit;
    }}
    if (method == "ACK") {{
        t_relay();
        exit;
    }}
    if ($sp == {world}) {{
        if (!lookup("location")) {{
            sl_send_reply("404", "Nobody There");
            exit;
        }}
    }} else {{
        if (!pv_proxy_authenticate("{realm}", "{password}", "0")) {{
            proxy_challenge("{realm}", "1");
            exit;
        }}
        consume_credentials();
        $du = "sip:{host}:{world}";
    }}
    record_route();
    t_relay();
}}
route[REGISTERS] {{
    if ($rd != "{domain}") {{
        sl_send_reply("404", "Not Our Domain");
        exit;
    }}
    if (!pv_www_authenticate("{realm}", "{password}", "0")) {{
        www_challenge("{realm}", "1");
        exit;
    }}
    if ($aU != "{user}") {{
        sl_send_reply("403", "Another Name");
        exit;
    }}
    if ($hdr(Expires) != "0" && $(hdr(Expires){{s.int}}) < {least}) {{
        append_to_reply("Min-Expires: {least}\\r\\n");
        sl_send_reply("423", "Interval Too Brief");
        exit;
    }}
    append_to_reply("Service-Route: <sip:{host}:{edge};lr>\\r\\n");
    append_to_reply("P-Associated-URI: <sip:{user}>\\r\\n");
    save("location");
}}
"""
STOP_S = 20.0
POLL_S = 0.02


def why_not() -> str:
    """Why Kamailio cannot be used here; empty when it can."""
    return "" if _program() else "kamailio is not installed"


def _program() -> str | None:
    return shutil.which("kamailio", path=f"{os.environ['PATH']}:/usr/sbin")


class KamailioCarrier:
    """One carrier with one account, for as long as the `with` block runs."""

    def __init__(
        self,
        folder: Path,
        ports: tuple[int, int],
        user: str,
        password: str,
        *,
        algorithm: str = "MD5",
        nonce_expire: int = 300,
        world: int = 0,
    ) -> None:
        """`ports`: the edge's and the registrar's; all are on one address."""
        self.edge, self.registrar = (("127.0.0.1", port) for port in ports)
        self._folder = folder
        modules = next(Path("/usr/lib").glob("*/kamailio/modules"))
        text = CONFIG.format(
            host="127.0.0.1",
            edge=ports[0],
            registrar=ports[1],
            modules=f"{modules}/",
            user=user,
            password=password,
            realm=REALM,
            domain=DOMAIN,
            least=LEAST,
            longest=LONGEST,
            algorithm=algorithm,
            nonce_expire=nonce_expire,
            world=world,
        )
        (folder / "kamailio.cfg").write_text(text)

    def __enter__(self) -> KamailioCarrier:
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
        # What is sent to an open port waits there until it is read.
        while not is_open("udp", *self.registrar):
            assert self._process.poll() is None, f"kamailio has ended: {self.log[-1000:]}"
            time.sleep(POLL_S)
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(timeout=STOP_S)

    @property
    def log(self) -> str:
        return (self._folder / "kamailio.log").read_text(errors="replace")
