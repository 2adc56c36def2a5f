"""What lines and trunks may be."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.config import line as line_checks
from appliance.config import trunk as trunk_checks
from appliance.config.line import Line
from appliance.config.outside import check_host
from appliance.config.trunk import MAX_PEERS, Trunk
from appliance.errors import ConfigError

LINE = Line(name="carrier", server="sip.example.net", account="100200")
TRUNK = Trunk(name="hq", peers=("192.0.2.9",))


def refused(settings: Line | Trunk) -> tuple[str, str]:
    with pytest.raises(ConfigError) as refusal:
        line_checks.verify(settings) if isinstance(settings, Line) else trunk_checks.verify(settings)
    return refusal.value.path, refusal.value.key


@pytest.mark.parametrize(
    "line",
    [
        LINE,
        # An IMS whose registrar and proxy are elsewhere, and a realm that is an address.
        Line(
            name="ims",
            server="10.20.30.40:5070",
            proxy="10.20.30.41",
            domain="ims.ln.chinamobile.com",
            account="+862412345678",
            auth_name="862412345678@ims.ln.chinamobile.com",
            from_user="+862412345678",
            uri_parameter="user=phone",
        ),
        Line(
            name="ctc",
            server="gd.ctcims.cn",
            realm="192.0.2.7",
            account="x",
            auth_name="+8675512345678@gd.ctcims.cn",
        ),
        msgspec.structs.replace(
            LINE, server="[2001:db8::1]:5061", transport="tls", numbers=("+49301=101", "302=*9")
        ),
        msgspec.structs.replace(LINE, uri_parameter="user=phone;x;cpc=ordinary"),
    ],
)
def test_good_lines(line: Line) -> None:
    line_checks.verify(line)


@pytest.mark.parametrize(
    ("settings", "path", "key"),
    [
        ({"name": "A line"}, "lines.A line.name", "error.bad_key"),
        ({"name": ""}, "lines..name", "error.bad_key"),
        ({"server": "sip:x"}, "lines.carrier.server", "error.bad_host"),
        ({"server": ""}, "lines.carrier.server", "error.bad_host"),
        ({"server": "h:0"}, "lines.carrier.server", "error.bad_host"),
        ({"server": "h:65536"}, "lines.carrier.server", "error.bad_host"),
        ({"proxy": "a b"}, "lines.carrier.proxy", "error.bad_host"),
        ({"account": ""}, "lines.carrier.account", "error.value_missing"),
        ({"account": "a>b"}, "lines.carrier.account", "error.control_character"),
        ({"auth_name": "x" * 129}, "lines.carrier.auth_name", "error.too_long"),
        ({"password": "a\r\nb"}, "lines.carrier.password", "error.control_character"),
        ({"from_display": "x" * 129}, "lines.carrier.from_display", "error.too_long"),
        ({"expiry": 59}, "lines.carrier.expiry", "error.out_of_range"),
        ({"uri_parameter": ";user=phone"}, "lines.carrier.uri_parameter", "error.bad_uri_parameter"),
        ({"uri_parameter": "a>\r\nX: y"}, "lines.carrier.uri_parameter", "error.bad_uri_parameter"),
        ({"shows": "fixed"}, "lines.carrier.caller_number", "error.value_missing"),
        ({"caller_number": "12a"}, "lines.carrier.caller_number", "error.bad_outside_number"),
        ({"caller_cut": 16}, "lines.carrier.caller_cut", "error.out_of_range"),
        ({"port": 65_536}, "lines.carrier.port", "error.out_of_range"),
        ({"max_calls": -1}, "lines.carrier.max_calls", "error.out_of_range"),
        ({"caller_from": ()}, "lines.carrier.caller_from", "error.not_a_choice"),
        ({"caller_from": ("from", "from")}, "lines.carrier.caller_from", "error.not_a_choice"),
        ({"numbers": ("1=2", "1=3")}, "lines.carrier.numbers", "error.bad_numbers"),
        ({"numbers": ("1",)}, "lines.carrier.numbers", "error.bad_numbers"),
    ],
)
def test_bad_lines(settings: dict[str, object], path: str, key: str) -> None:
    assert refused(msgspec.structs.replace(LINE, **settings)) == (path, key)


@pytest.mark.parametrize(
    ("settings", "path", "key"),
    [
        ({"peers": ()}, "trunks.hq.peers", "error.out_of_range"),
        ({"peers": ("h",) * (MAX_PEERS + 1)}, "trunks.hq.peers", "error.out_of_range"),
        ({"peers": ("a b",)}, "trunks.hq.peers", "error.bad_host"),
        ({"networks": ("192.0.2.1/28",)}, "trunks.hq.networks", "error.bad_address"),
        ({"networks": ("0.0.0.0/0",)}, "trunks.hq.networks", "error.network_too_large"),
        ({"networks": ("192.0.2.0/28",) * (MAX_PEERS + 1)}, "trunks.hq.networks", "error.too_many"),
        ({"domain": "a/b"}, "trunks.hq.domain", "error.bad_host"),
        ({"certificate": "../x"}, "trunks.hq.certificate", "error.control_character"),
        ({"keep_alive": 5}, "trunks.hq.keep_alive", "error.out_of_range"),
    ],
)
def test_bad_trunks(settings: dict[str, object], path: str, key: str) -> None:
    assert refused(msgspec.structs.replace(TRUNK, **settings)) == (path, key)


def test_good_trunks() -> None:
    trunk_checks.verify(TRUNK)
    trunk_checks.verify(
        msgspec.structs.replace(TRUNK, networks=("192.0.2.0/28", "2001:db8::/32"), keep_alive=0)
    )


def test_a_line_tells_no_password() -> None:
    assert "secret" not in repr(msgspec.structs.replace(LINE, password="secret"))


@given(st.text(max_size=30))
def test_no_host_that_passes_ends_a_header(text: str) -> None:
    try:
        check_host("x", text)
    except ConfigError:
        return
    assert text
    assert not set(text) & set(' \r\n\t<>";,@?')
