"""Area `dns-check`: whether the system's name servers tell of a name what everybody is told."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from appliance.config.server_address import written
from appliance.control.area import Area, Key, Nothing, Request, Verb
from appliance.control.parts import moment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from appliance.control.parts import Parts
    from appliance.diagnosis.dns_check import Said
    from appliance.diagnosis.dns_checks import Checked
    from appliance.sip.transport.record_cache import Question

__all__ = ["AREA", "DnsAnswer", "DnsChecked"]


class DnsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What one server said to one question."""

    asked: str
    "`system` or `reference`."
    server: str
    "`address:port`."
    question: str
    "Such as `SRV _sip._udp.sip.example`."
    outcome: str
    "`records`, or why there are none; its words are at `dns.outcome.`."
    records: tuple[str, ...]
    "Each as a zone file has it; first the aliases on the way to them, each as `CNAME name`."
    transport: str


class DnsChecked(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a check."""

    name: str
    at: datetime | None
    verdict: str
    explanation: str
    "A locale key: what the verdict means."
    what_to_do: str
    "A locale key."
    about: tuple[str, ...]
    "The questions that led to the verdict."
    answers: tuple[DnsAnswer, ...]


async def show(parts: Parts, request: Request[Nothing]) -> DnsChecked:
    return _told(await parts.dns_checks.check(request.key))


async def list_(parts: Parts, _: Request[Nothing]) -> list[DnsChecked]:
    return [_told(each) for each in parts.dns_checks.findings]


def _told(checked: Checked) -> DnsChecked:
    verdict = checked.judgement.verdict
    return DnsChecked(
        name=checked.name,
        at=moment(checked.at),
        verdict=verdict,
        explanation=f"dns.verdict.{verdict}",
        what_to_do=f"dns.what_to_do.{verdict}",
        about=tuple(_asked(each) for each in checked.judgement.about),
        answers=tuple(answer for said in checked.said for answer in _answers(said)),
    )


def _answers(said: Said) -> Iterator[DnsAnswer]:
    for question, answer in said.answers.items():
        aliases = (f"CNAME {each}" for each in answer.aliases)
        yield DnsAnswer(
            asked="reference" if said.is_reference else "system",
            server=written(said.server),
            question=_asked(question),
            outcome=answer.outcome,
            records=(*aliases, *(_as_text(each) for each in answer.records)),
            transport=answer.transport,
        )


def _asked(question: Question) -> str:
    return f"{question.kind} {question.name}"


def _as_text(record: tuple[object, ...]) -> str:
    return " ".join(str(each) or "." for each in record)


AREA = Area(
    "dns-check",
    "Whether name servers tell the truth",
    (
        Verb("show", show, Nothing, DnsChecked, "Check a name; takes 10 s at most", key=Key.NEEDED),
        Verb("list", list_, Nothing, list[DnsChecked], "What the exchange found by itself, newest first"),
    ),
)
