"""A DNS check as a person reads it: what it means, what to do, and who said what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from appliance import locale
from appliance.cli.table import as_text

if TYPE_CHECKING:
    from appliance.locale import Language

__all__ = ["dns_report"]

MAX_ABOUT = 3
"Questions named in the first line; the table has them all."


def dns_report(checked: dict[str, Any], tongue: Language) -> str:
    """Some sentences, then a table with a row an answer."""
    return "".join(
        (
            f"{checked['name']}  {checked['at']}  {checked['verdict']}{_about(checked['about'])}\n",
            f"{_say(checked['explanation'], tongue)}\n",
            f"{_say(checked['what_to_do'], tongue)}\n\n",
            as_text([_row(each, tongue) for each in checked["answers"]]),
        )
    )


def _about(questions: list[str]) -> str:
    if not questions:
        return ""
    more = ", …" if len(questions) > MAX_ABOUT else ""
    return f"  ({', '.join(questions[:MAX_ABOUT])}{more})"


def _row(answer: dict[str, Any], tongue: Language) -> dict[str, Any]:
    said = answer["records"] or _say(f"dns.outcome.{answer['outcome']}", tongue)
    kept = {name: answer[name] for name in ("asked", "server", "question")}
    return {**kept, "said": said, "transport": answer["transport"]}


def _say(key: str, tongue: Language) -> str:
    try:
        return locale.say(key, tongue)
    except KeyError:
        # The exchange that answered may be newer than this command and know verdicts that it does not.
        return key
