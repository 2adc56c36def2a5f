"""From what name servers said about one name to a verdict: do the system's servers tell what everybody is told? Pure.

RFC 3263 §4 (which records lead to a SIP server); RFC 2782 (SRV), RFC 3403 (NAPTR), RFC 6761 and RFC 6890 (addresses
that nobody outside can have).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, cast

from appliance.sip.transport.answer import DEFAULT_PORT
from appliance.sip.transport.record_cache import Question

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from appliance.sip.transport.flow import Address
    from appliance.sip.transport.record_cache import Records

__all__ = ["HEARD", "Answer", "Judgement", "Outcome", "Said", "Verdict", "judge", "suspects"]

SAME_NETWORK = {4: 16, 6: 32}
"Bits that two addresses of one owner have in common: about what is routed as one, and what a registry gives out at once."

ADDRESS_KINDS = ("A", "AAAA")

MAX_SUSPECTS = 2
"Addresses of one side, of one question, that are asked whether a SIP server is there: more would be a scan."


class Outcome(StrEnum):
    """What came of one question to one server."""

    RECORDS = "records"
    NOTHING = "nothing"
    "The name is there, but has no such records."
    NO_NAME = "no_name"
    "NXDOMAIN."
    REFUSED = "refused"
    FAILED = "failed"
    "SERVFAIL, or another code that says neither yes nor no."
    GARBLED = "garbled"
    "Octets that are no answer to the question."
    SILENT = "silent"
    UNREACHABLE = "unreachable"


HEARD = frozenset({Outcome.RECORDS, Outcome.NOTHING, Outcome.NO_NAME})
"What a stub resolver takes for an answer; after anything else it asks its next server."


class Verdict(StrEnum):
    """What follows from all of it."""

    AGREE = "agree"
    BLOCKED = "blocked"
    "The system's servers give nothing, the references do."
    POISONED = "poisoned"
    "Other answers with nothing in common, or addresses that no server of the public network has."
    LOCALITY = "locality"
    "Other answers, as large providers give them from place to place."
    ONLY_HERE = "only_here"
    "The system's servers know the name, the references do not."
    NOBODY_KNOWS = "nobody_knows"
    REFERENCE_UNREACHABLE = "reference_unreachable"
    NO_ANSWER = "no_answer"
    "Neither the system's servers nor the references say anything."


GRAVITY = (
    *(Verdict.POISONED, Verdict.BLOCKED, Verdict.ONLY_HERE),
    *(Verdict.LOCALITY, Verdict.AGREE, Verdict.NOBODY_KNOWS),
)
"What one question tells, the one that settles the whole first."

MISSING = frozenset({Verdict.BLOCKED, Verdict.ONLY_HERE})
REACHED = frozenset({Verdict.AGREE, Verdict.LOCALITY})


@dataclass(frozen=True, slots=True)
class Answer:
    """One server's answer to one question."""

    outcome: Outcome
    records: Records = ()
    aliases: tuple[str, ...] = ()
    "The targets of the CNAME records on the way, in lower case."
    transport: str = "udp"


@dataclass(frozen=True, slots=True)
class Said:
    """All that one server said."""

    server: Address
    is_reference: bool
    answers: Mapping[Question, Answer] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict, and the questions that led to it."""

    verdict: Verdict
    about: tuple[Question, ...] = ()


@dataclass(frozen=True, slots=True)
class _Leads:
    """Where answers lead."""

    names: frozenset[str] = frozenset()
    addresses: frozenset[str] = frozenset()


def judge(said: Iterable[Said], answering: Collection[str] = ()) -> Judgement:
    """The verdict. `answering` are the addresses at which a SIP server answered; see `suspects`."""
    said = tuple(said)
    found: dict[Question, Verdict] = {}
    for question in _questions(said):
        sides = _sides(said, question)
        if sides is not None:
            found[question] = _compare(question.kind, *sides, answering)
    if not found:
        heard = any(answer.outcome in HEARD for each in said for answer in each.answers.values())
        return Judgement(Verdict.REFERENCE_UNREACHABLE if heard else Verdict.NO_ANSWER)
    counted = {question: verdict for question, verdict in found.items() if _counts(question, verdict, found)}
    gravest = min(counted.values(), key=GRAVITY.index)
    return Judgement(gravest, tuple(question for question, verdict in counted.items() if verdict is gravest))


def suspects(said: Iterable[Said]) -> tuple[Address, ...]:
    """Whom to ask by OPTIONS before answers are called poisoned: public addresses and ports of both sides."""
    said = tuple(said)
    judgement = judge(said)
    if judgement.verdict is not Verdict.POISONED:
        return ()
    found: dict[Address, None] = {}
    for question in judgement.about:
        sides = [
            sorted(filter(_is_public, side.addresses))[:MAX_SUSPECTS] for side in _sides(said, question) or ()
        ]
        if all(sides):  # one that has nobody to ask stays what it is
            found |= dict.fromkeys((host, _port_of(said, host)) for side in sides for host in side)
    return tuple(found)


def _questions(said: Iterable[Said]) -> dict[Question, None]:
    return dict.fromkeys(question for each in said for question in each.answers)


def _sides(said: Collection[Said], question: Question) -> tuple[_Leads, _Leads] | None:
    """What the system says and what the references say; None where there is nothing to compare."""
    system = [each for each in said if not each.is_reference]
    asked = [each for each in system if question in each.answers]
    heard = [each for each in said if each.is_reference and _heard(each, question)]
    # A host that only the other side's SRV records name is that side's alone.
    if not heard or (system and not asked):
        return None
    theirs = [_leads(each, question) for each in heard]
    # As a stub resolver does: the first server that answers is believed.
    ours = next((_leads(each, question) for each in asked if _heard(each, question)), _Leads())
    names = frozenset[str]().union(*(each.names for each in theirs))
    return ours, _Leads(names, frozenset[str]().union(*(each.addresses for each in theirs)))


def _heard(said: Said, question: Question) -> bool:
    return question in said.answers and said.answers[question].outcome in HEARD


def _leads(said: Said, question: Question) -> _Leads:
    answer = said.answers[question]
    match question.kind:
        case "NAPTR" | "SRV":
            # RFC 2782: an empty target says that the domain does not offer this.
            names = frozenset(cast("str", record[-1]) for record in answer.records) - {""}
            return _Leads(names, frozenset().union(*(_addresses(said, name) for name in names)))
        case _:
            return _Leads(frozenset(answer.aliases), _addresses(said, question.name, (question.kind,)))


def _addresses(said: Said, name: str, kinds: Iterable[str] = ADDRESS_KINDS) -> frozenset[str]:
    answers = [said.answers.get(Question(name, kind)) for kind in kinds]
    return frozenset(cast("str", record[0]) for answer in answers if answer for record in answer.records)


def _compare(kind: str, ours: _Leads, theirs: _Leads, answering: Collection[str]) -> Verdict:
    match _gives(kind, ours), _gives(kind, theirs):
        case False, False:
            return Verdict.NOBODY_KNOWS
        case False, True:
            return Verdict.BLOCKED
        case True, False:
            return Verdict.ONLY_HERE
        case _:
            return _compare_given(kind, ours, theirs, answering)


def _gives(kind: str, leads: _Leads) -> bool:
    return bool(leads.addresses if kind in ADDRESS_KINDS else leads.names)


def _compare_given(kind: str, ours: _Leads, theirs: _Leads, answering: Collection[str]) -> Verdict:
    """What two sides that both know something have in common; the first row that fits counts."""
    shares_names = not ours.names.isdisjoint(theirs.names)
    rows = (
        # The addresses of a host that both name are a question of their own.
        (kind not in ADDRESS_KINDS and shares_names, Verdict.AGREE),
        (_is_bogus(ours, theirs), Verdict.POISONED),
        (not ours.addresses.isdisjoint(theirs.addresses), Verdict.AGREE),
        (shares_names, Verdict.LOCALITY),
        (not _networks(ours).isdisjoint(_networks(theirs)), Verdict.LOCALITY),
        (all(not side.addresses.isdisjoint(answering) for side in (ours, theirs)), Verdict.LOCALITY),
    )
    return next((verdict for fits, verdict in rows if fits), Verdict.POISONED)


def _is_bogus(ours: _Leads, theirs: _Leads) -> bool:
    """Whether we are sent to an address that only our own network may have, and others to a public one."""
    alone = ours.addresses - theirs.addresses
    return not all(map(_is_public, alone)) and any(map(_is_public, theirs.addresses))


def _is_public(address: str) -> bool:
    known = ip_address(address)
    return known.is_global and not known.is_multicast


def _networks(leads: _Leads) -> frozenset[str]:
    found = (ip_address(address) for address in leads.addresses)
    return frozenset(str(ip_network(f"{each}/{SAME_NETWORK[each.version]}", strict=False)) for each in found)


def _counts(question: Question, verdict: Verdict, found: Mapping[Question, Verdict]) -> bool:
    """Whether an answer that one side lacks is a loss.

    Many routers know no NAPTR or leave AAAA out: RFC 3263 §4.1 goes on with SRV, and IPv4 does without IPv6.
    """
    if verdict not in MISSING:
        return True
    match question.kind:
        case "NAPTR":
            return not any(each.kind == "SRV" and found[each] in REACHED for each in found)
        case "AAAA":
            return found.get(Question(question.name, "A")) not in REACHED
        case _:
            return True


def _port_of(said: Iterable[Said], host: str) -> int:
    """The port of the first SRV record that leads to an address."""
    for each in said:
        for question, answer in each.answers.items():
            for record in answer.records if question.kind == "SRV" else ():
                if host in _addresses(each, cast("str", record[3])):
                    return cast("int", record[2])
    return DEFAULT_PORT["udp"]
