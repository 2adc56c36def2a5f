"""The messages of RFC 4475 and RFC 5118, at message level: valid ones are read, invalid ones refused.

They are not part of the repository: `BRANCHBOX_TORTURE` names the folder, else `../shared/torture` beside the
checkout. Where the verdict leaves it to the registrar or the call what to do with a message, it must be read or
refused with something to answer; nothing else may happen. What is answered over UDP and TCP: test_wire.py.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from appliance.sip.message import BadMessage, Request, Response, StreamFramer, parse_message
from tests.torture.verdicts import CASES


def read(path: Path) -> Request | Response | BadMessage:
    try:
        return parse_message(path.read_bytes())
    except BadMessage as bad:
        return bad


@pytest.mark.parametrize(("path", "verdict"), CASES)
def test_verdict(path: Path, verdict: dict[str, Any]) -> None:
    message = read(path)
    accepted = set(verdict["pbx_accept"])
    if accepted == {"silence"}:
        # A response: read or not, nothing is sent.
        assert isinstance(message, Response) or (isinstance(message, BadMessage) and message.request is None)
    elif isinstance(message, BadMessage):
        assert str(message.status) in accepted
        assert message.request is not None
        answer = message.request.respond(message.status, to_tag="t")
        assert answer.encode().startswith(f"SIP/2.0 {message.status} ".encode())
    else:
        assert not accepted <= {"400", "505"}, "it should have been refused"
        assert parse_message(message.encode()).headers == message.headers


@pytest.mark.parametrize(("path", "verdict"), CASES)
def test_what_is_echoed_is_the_same_to_the_byte(path: Path, verdict: dict[str, Any]) -> None:
    message = read(path)
    if isinstance(message, Request):
        response = message.respond(100).headers
        for name in ("Via", "From", "To", "Call-ID", "CSeq"):
            assert response.get_all(name) == message.headers.get_all(name)
            assert all(line.encode("utf-8", "surrogateescape") for line in response.get_all(name))
    else:
        assert not isinstance(message, BadMessage) or verdict["rfc_class"] != "valid"


@pytest.mark.parametrize(("path", "verdict"), CASES)
def test_any_split_of_a_stream_gives_the_same(path: Path, verdict: dict[str, Any]) -> None:
    data = path.read_bytes()
    whole, split = StreamFramer(), StreamFramer()
    at_once = whole.feed(data)
    bit_by_bit = [item for start in range(0, len(data), 7) for item in split.feed(data[start : start + 7])]
    assert [type(item) for item in at_once] == [type(item) for item in bit_by_bit]
    assert whole.lost == split.lost
