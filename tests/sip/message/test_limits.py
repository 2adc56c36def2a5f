"""appliance/sip/message/limits.py: no limit refuses what an RFC lets a peer send."""

from __future__ import annotations

import pytest

from appliance.sip.message import Headers, Params, Request, Uri, Via, limits, parse_message
from tests.sip.message.samples import INVITE, edit

HOPS = 70
"RFC 3261 §8.1.1.6: how far a request gets."


@pytest.mark.parametrize(
    ("way", "vias"),
    [
        ("".join(f"Via: SIP/2.0/UDP p{hop};branch=z9hG4bK{hop}\nRecord-Route: <sip:p{hop};lr>\n" for hop in range(HOPS)), HOPS),
        ("Via: " + ", ".join(f"SIP/2.0/UDP p{hop}" for hop in range(HOPS)) + "\n", HOPS),
    ],
    ids=["lines", "list"],
)  # fmt: skip
def test_a_request_that_has_come_as_far_as_it_may_is_read(way: str, vias: int) -> None:
    message = parse_message(edit(INVITE, "Via:", way + "Via:"))
    assert len(message.vias) == vias + 1
    assert len(message.encode()) < limits.MAX_HEAD


def test_numbers_are_as_long_as_the_rfc_lets_them_be() -> None:
    # §8.1.1.5: below 2**31. §20.16: 32 bits. §20.19: up to 2**32-1 seconds.
    assert 2**31 <= limits.MAX_CSEQ < 2**32
    assert limits.MAX_DELTA_SECONDS == 2**32 - 1
    request = Request("X", "sip:a", Headers([("CSeq", f"{limits.MAX_CSEQ} X"), ("Expires", str(2**32 - 1))]))
    assert (request.cseq.number, request.expires) == (limits.MAX_CSEQ, limits.MAX_DELTA_SECONDS)


def test_a_datagram_and_a_stream_bring_the_same() -> None:
    # §18.1.1: messages up to the maximum of a datagram MUST be handled.
    assert min(limits.MAX_HEAD, limits.MAX_BODY) >= 65_535


def test_a_contact_with_all_its_features_is_read() -> None:
    # RFC 3840 §9 and RFC 5626: some thirty parameters.
    features = ";reg-id=1" + "".join(f';+sip.feature{n}="TRUE"' for n in range(30))
    assert len(Params.parse(features, "Contact")) == 31 < limits.MAX_PARAMS


def test_what_is_kept_of_uris_is_bounded() -> None:
    # A board of 1 GB can spare ten of its megabytes.
    assert limits.URI_CACHE * 4 * limits.MAX_CACHED_URI < 10 * 2**20
    assert (
        len(
            str(
                Uri.parse(
                    "sip:" + "1" * 15 + "@[2001:db8:1234:5678:9abc:def0:1234:5678]:65535;transport=tcp;ob"
                )
            )
        )
        < limits.MAX_CACHED_URI
    )


def test_a_list_has_room_for_as_many_as_lines() -> None:
    assert (
        len(Via.parse_many(", ".join(["SIP/2.0/UDP h"] * limits.MAX_LIST_VALUES))) == limits.MAX_LIST_VALUES
    )
    assert limits.MAX_HEADER_LINES >= 2 * HOPS + 30
