"""GRUUs as the registrar hands them out and reads them: RFC 5627 §5."""

from __future__ import annotations

import re

import pytest

from appliance.directory import Bindings, Gruus
from appliance.errors import PeerError
from appliance.sip.message import NameAddr, Response, Uri
from tests.directory.fakes import HandClock
from tests.directory.test_registrar import Office

DESK = "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6"
CELL = "urn:uuid:00000000-0000-1000-8000-000A95A0E128"
ASKS = ("Supported", "path, gruu")


def contact(phone: str, more: str = "") -> tuple[str, str]:
    return (
        "Contact",
        f'<sip:101@192.0.2.21:{5060 if phone == DESK else 5070}>;+sip.instance="<{phone}>"{more}',
    )


def gruus_in(response: Response) -> list[tuple[Uri, Uri]]:
    """The public and the temporary one of each contact."""
    found = []
    for line in response.headers.get_all("Contact"):
        params = NameAddr.parse(line).params
        texts = [params.text(name) for name in ("pub-gruu", "temp-gruu")]
        assert all(texts), line
        found.append((Uri.parse(texts[0] or ""), Uri.parse(texts[1] or "")))
    return found


@pytest.fixture
def office() -> Office:
    return Office()


def gruus(office: Office) -> Gruus:
    return office.registrar._gruus


def test_a_phone_that_asks_gets_both(office: Office) -> None:
    answer = office.register(contact(DESK), ASKS, to="<sip:101@pbx.example:5060>")
    ((public, temporary),) = gruus_in(answer)
    assert str(public) == f"sip:101@pbx.example:5060;gr={DESK}"
    assert re.fullmatch(r"sip:tgruu\.[A-Za-z0-9_-]{70}@pbx\.example:5060;gr", str(temporary))
    assert "gruu" in answer.tokens("Supported")
    for uri in (public, temporary):
        assert gruus(office).meant_by(uri) == ("101", DESK)


@pytest.mark.parametrize(
    "headers",
    [
        (contact(DESK),),
        (("Contact", "<sip:101@192.0.2.21>"), ASKS),
        (("Contact", '<sip:101@192.0.2.21>;+sip.instance="no-urn"'), ASKS),
        (("Contact", "<sip:101@192.0.2.21>;+sip.instance"), ASKS),
    ],
)
def test_others_get_none(office: Office, headers: tuple[tuple[str, str], ...]) -> None:
    (line,) = office.register(*headers).headers.get_all("Contact")
    assert "gruu" not in line


def test_required_is_supported(office: Office) -> None:
    assert len(gruus_in(office.register(contact(DESK), ("Require", "gruu")))) == 1


def test_public_ones_stay_and_temporary_ones_are_never_the_same(office: Office) -> None:
    (first,) = gruus_in(office.register(contact(DESK), ASKS))
    (second,) = gruus_in(office.register(contact(DESK), ASKS))
    assert first[0] == second[0]
    # §5.1: nobody can tell that two of them are of one phone; both hold as long as it keeps its Call-ID.
    assert first[1] != second[1]
    assert gruus(office).meant_by(first[1]) == gruus(office).meant_by(second[1]) == ("101", DESK)
    office.phone.call_id = "begun-anew"
    (third,) = gruus_in(office.register(contact(DESK), ASKS))
    for old in (first[1], second[1]):
        with pytest.raises(PeerError, match="404"):
            gruus(office).meant_by(old)
    assert gruus(office).meant_by(third[1]) == ("101", DESK)
    office.register(("Contact", "*"), ("Expires", "0"))
    with pytest.raises(PeerError, match="404"):
        gruus(office).meant_by(third[1])
    # §5.4: a public one means that phone even when it is nowhere.
    assert gruus(office).meant_by(third[0]) == ("101", DESK)


def test_each_phone_of_an_extension_has_its_own(office: Office) -> None:
    office.register(contact(DESK), ASKS)
    office.phone.call_id = "cell"
    found = gruus_in(office.register(contact(CELL), ASKS))
    meant = {gruus(office).meant_by(uri) for pair in found for uri in pair}
    assert meant == {("101", DESK), ("101", CELL.lower())}


def test_what_a_phone_says_of_its_gruus_is_not_kept(office: Office) -> None:
    told = ';pub-gruu="sip:102@x;gr=y";temp-gruu="sip:z@x;gr"'
    ((public, _),) = gruus_in(office.register(contact(DESK, told), ASKS))
    assert public.user == "101"


def test_a_gruu_is_no_contact(office: Office) -> None:
    assert office.refused(("Contact", f"<sip:101@pbx;gr={DESK}>")).status == 403
    assert office.refused(("Contact", "<sip:tgruu.x@pbx;gr>")).status == 403


@pytest.mark.parametrize(
    "user", ["tgruu.", "tgruu.AAAA", f"tgruu.{'A' * 70}", "tgruu.%ff", "tgruu.é", "x", "101"]
)
def test_what_nobody_made_means_nobody(office: Office, user: str) -> None:
    office.register(contact(DESK), ASKS)
    with pytest.raises(PeerError) as refusal:
        gruus(office).meant_by(Uri.parse(f"sip:{user}@pbx;gr"))
    assert refusal.value.status == 404


def test_any_change_is_noticed(office: Office) -> None:
    ((_, temporary),) = gruus_in(office.register(contact(DESK), ASKS))
    user = temporary.user or ""
    for at in range(len("tgruu."), len(user) - 1):
        other = "A" if user[at] != "A" else "B"
        with pytest.raises(PeerError):
            gruus(office).meant_by(Uri.parse(f"sip:{user[:at]}{other}{user[at + 1 :]}@pbx;gr"))


def test_other_uris_are_none_and_escapes_are_undone(office: Office) -> None:
    assert gruus(office).meant_by(Uri.parse("sip:101@pbx;transport=tcp")) is None
    assert gruus(office).meant_by(Uri.parse("sip:%3101@pbx;gr=URN%3auuid:1")) == ("101", "urn:uuid:1")


def test_a_later_process_with_the_same_secret_reads_them(office: Office) -> None:
    ((_, temporary),) = gruus_in(office.register(contact(DESK), ASKS))
    later = Bindings(HandClock())
    later.from_rows(office.bindings.to_rows())
    other = Gruus(later)
    with pytest.raises(PeerError):
        other.meant_by(temporary)
    other.keep(gruus(office)._secret)
    assert other.meant_by(temporary) == ("101", DESK)
