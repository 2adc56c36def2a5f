"""appliance/directory/dialog_info.py: RFC 4235 §4, read back by another XML parser; whatever peers call themselves."""

from __future__ import annotations

from xml.etree.ElementTree import fromstring

from hypothesis import example, given
from hypothesis import strategies as st

from appliance.directory.dialog_info import dialog_info
from appliance.directory.lamps import Lamp, LampState, Names, Party
from appliance.sip.message import Uri
from tests.call.watcher import read_dialog_info

ENTITY = Uri.parse("sip:102@pbx.example:5070")
RINGS = Lamp(
    "d1",
    LampState.EARLY,
    initiator=False,
    here=Party("102"),
    there=Party("101", "Alice"),
    names=Names("c1@x", "theirs", "ours"),
)


def test_the_document() -> None:
    assert dialog_info(ENTITY, 7, [RINGS]).decode() == (
        "<?xml version='1.0' encoding='utf-8'?>\n"
        '<dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" version="7" state="full" '
        'entity="sip:102@pbx.example:5070">'
        '<dialog id="d1" call-id="c1@x" local-tag="theirs" remote-tag="ours" direction="recipient">'
        "<state>early</state>"
        '<local><identity>sip:102@pbx.example:5070</identity><target uri="sip:102@pbx.example:5070" /></local>'
        '<remote><identity display="Alice">sip:101@pbx.example:5070</identity>'
        '<target uri="sip:101@pbx.example:5070" /></remote>'
        "</dialog></dialog-info>"
    )


def test_who_holds_does_not_hear() -> None:
    held = Lamp(
        "d3",
        LampState.CONFIRMED,
        initiator=False,
        here=Party("102", renders=False),
        there=Party("101"),
    )
    document = dialog_info(ENTITY, 0, [held])
    assert document.count(b'<param pname="+sip.rendering" pval="no" />') == 1
    assert read_dialog_info(document).only.renders == (False, True)


def test_idle_is_a_document_too() -> None:
    info = read_dialog_info(dialog_info(Uri.parse("sips:102@[2001:db8::1]"), 0, ()))
    assert (info.version, info.entity, info.dialogs) == (0, "sips:102@[2001:db8::1]", ())


def test_what_may_stand_in_no_xml_is_replaced() -> None:
    strange = Lamp(
        "d2",
        LampState.CONFIRMED,
        initiator=True,
        here=Party("102"),
        there=Party("1 <2>\udcff", "\x00<b>\ud800 & \uffff\n\"'"),
        names=Names('<c"&\x1b>', "a&b", "\x7f"),
    )
    seen = read_dialog_info(dialog_info(ENTITY, 0, [strange])).only
    assert seen.direction == "initiator"
    assert seen.remote == "sip:1%20%3C2%3E%FF@pbx.example:5070"
    assert seen.remote_name == "\ufffd<b>\ufffd & \ufffd\n\"'"
    assert seen.names == ('<c"&\ufffd>', "a&b", "\x7f")


ANY = st.text(st.characters(codec=None))


@given(ANY, ANY, ANY)
@example("\ud800\udcff\udfff", "\ud800", "\udfff")
def test_any_text_makes_xml(number: str, display: str, call_id: str) -> None:
    lamp = Lamp(
        "d", LampState.TRYING, initiator=False, here=Party("102"), there=Party(number, display), names=None
    )
    named = Lamp(
        "e", LampState.TRYING, False, Party("102"), Party(number, display), Names(call_id, call_id, call_id)
    )
    root = fromstring(dialog_info(ENTITY, 0, [lamp, named]))
    assert [dialog.get("id") for dialog in root] == ["d", "e"]
