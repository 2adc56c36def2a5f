"""`branchbox ctl`: asks the running exchange, or tells it what to do, over its control socket.

Exit status: 0 done, 1 refused (the reason is on standard error), 2 wrong usage, 3 not running.
"""

from __future__ import annotations

import argparse
import getpass
import json
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from appliance import locale
from appliance.cli.dns_report import dns_report
from appliance.cli.system_report import system_report
from appliance.cli.table import as_text
from appliance.cli.update_report import update_report
from appliance.control.client import TIMEOUT_S, Client, NotRunningError, socket_in
from appliance.errors import ConfigError
from appliance.locale.tongue import explain, language

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from appliance.control.client import Answer

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "ctl"
HELP = "ask the running exchange, or change its settings"

DONE, REFUSED, WRONG_USAGE, NOT_RUNNING = range(4)

# These refusals say that the words on the command line make no request, not that the request is denied.
USAGE_KEYS = frozenset(
    {"error.unknown_area", "error.unknown_verb", "error.key_missing", "error.key_unexpected"}
)
# `password=-` reads it from standard input: the command line is seen by every user of the machine.
SECRETS = frozenset({"password", "current", "code", "token", "wifi_password", "passphrase"})
# Nobody needs these on a command line, where every user of the machine sees them.
NEVER_TYPED = frozenset({"passphrase"})
VERBS_OF_BACKUP = frozenset({"save", "look", "restore", "list", "run"})
"Words that are no file: one that is called so is `./list`."
# A backup of a large box to a slow card is written and read back, an update copied from a stick; nothing else takes a second.
LONG_S = 3600.0


EPILOG = """\
areas, each with some of the verbs list, show, add, set, remove, and others that a wrong verb makes it tell
(list prints what fits a terminal, show and --json have everything):
  status system extensions lines trunks routes dial-plan music prompts features codes
  registrations calls records trace dns-check admin box servers stick update update-check
  backup backup-schedule areas provision
and one for each service that has settings, such as do-not-disturb: `branchbox ctl features list` names them

examples:
  branchbox ctl extensions list
  branchbox ctl extensions add number=101 name=Reception password=-
  branchbox ctl extensions set 101 ring_seconds=20
  branchbox ctl calls hang-up ID
  branchbox ctl calls dial 101 102
  branchbox ctl do-not-disturb set 101 enabled=yes
  branchbox ctl codes set do_not_disturb_on code=*77
  branchbox ctl lines add name=carrier server=sip.example.net account=100200 password=-
  branchbox ctl routes test 9055512345 from=101 at=2026-05-04T08:30
  branchbox ctl backup FILE        (the same: restore FILE; sealed: backup FILE passphrase=-)
  branchbox ctl backup save to_stick=yes passphrase=-
  branchbox ctl stick list         (then: update install stick=/PATH/FILE)
  branchbox ctl backup look file=/PATH/FILE
  branchbox ctl backup-schedule set every=day to=usb passphrase=-
  branchbox ctl export > FILE
  branchbox ctl import FILE        (- is standard input)
  branchbox ctl dns-check NAME
  branchbox ctl system set network=static address=192.0.2.5 gateway=192.0.2.1 dns=192.0.2.1
  branchbox ctl system confirm     (on the board the network goes back after 120 s without it)
  branchbox ctl music set FILE.wav (music on hold; music remove: the built-in one)
  branchbox ctl prompts set welcome FILE.wav
  branchbox ctl attendants add name=700 greeting=welcome keys=1=101,2=600,0=again

password=- reads the password from standard input: what stands on a command line, others can see. A passphrase is
taken no other way.
exit status: 0 done, 1 refused, 2 wrong usage, 3 not running
"""


class UsageError(Exception):
    """The words make no request. Carries a locale key."""


@dataclass(slots=True)
class Words:
    """A request as it was typed."""

    area: str
    verb: str
    key: str | None = None
    values: dict[str, str] = field(default_factory=dict)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.usage = "branchbox ctl [--data DIR | --socket PATH] [--json] AREA VERB [KEY] [key=value ...]"
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--data",
        metavar="DIR",
        default=os.environ.get("BRANCHBOX_DATA", "./var"),
        help="the data folder of the exchange (default: BRANCHBOX_DATA, else ./var)",
    )
    where.add_argument("--socket", metavar="PATH", help="its control socket, instead of --data")
    parser.add_argument("--json", action="store_true", help="print one JSON value")
    parser.add_argument("area", metavar="AREA")
    parser.add_argument("words", metavar="WORD", nargs="*")


def run(arguments: argparse.Namespace) -> int:
    """Ask, and print the answer."""
    tongue = language()
    try:
        words = read_words(arguments.area, arguments.words)
        path = arguments.socket or socket_in(arguments.data)
        with Client(path, LONG_S if words.area in ("backup", "update") else TIMEOUT_S) as client:
            answer = client.ask(words.area, words.verb, words.key, words.values)
    except UsageError as error:
        return _fail(locale.say(str(error), tongue), WRONG_USAGE)
    except ConfigError as error:
        return _fail(explain(error, tongue), WRONG_USAGE if error.key in USAGE_KEYS else REFUSED)
    except NotRunningError:
        return _fail(locale.say("cli.not_running", tongue), NOT_RUNNING)
    except OSError as error:
        return _fail(f"{error.filename}: {error.strerror}", REFUSED)
    if answer.result == [] and not arguments.json:
        sys.stderr.write(locale.say("cli.nothing", tongue) + "\n")
    return _print(shown(words, answer, as_json=arguments.json))


def read_words(area: str, rest: Sequence[str]) -> Words:
    """The request that was typed. Raises UsageError; OSError when a file cannot be read."""
    if area in SHORT_FORMS:
        short = SHORT_FORMS[area](rest)
        if short is not None:
            return short
    if not rest or "=" in rest[0]:
        raise UsageError("cli.verb_missing")
    words = Words(area, rest[0])
    for word in rest[1:]:
        if "=" in word:
            words.values |= _value(word, twice=words.verb in ("save", "set"))
        elif words.key is None and not words.values:
            words.key = word
        else:
            raise UsageError("cli.one_key")
    return words


def _value(word: str, *, twice: bool = False) -> dict[str, str]:
    """One `key=value`. A new passphrase is asked for twice: nobody can look it up afterwards."""
    name, _, value = word.partition("=")
    if value == "-" and name in SECRETS:
        return {name: _secret(name, twice=twice and name in NEVER_TYPED)}
    if name in NEVER_TYPED and value:
        raise UsageError("cli.never_typed")
    return {name: value}


REPORTS: dict[tuple[str, str], Callable[[dict[str, Any], locale.Language], str]] = {
    **{("system", verb): system_report for verb in ("show", "set", "confirm", "undo")},
    ("update", "show"): update_report,
}


def shown(words: Words, answer: Answer, *, as_json: bool) -> str:
    """The answer as it is printed."""
    if as_json:
        return json.dumps(answer.result, ensure_ascii=False) + "\n"
    report = _report(words, answer.result)
    return as_text(answer.result, answer.columns) if report is None else report


def _report(words: Words, result: Any) -> str | None:
    """What is more than a table; None for all else."""
    match words.area, words.verb:
        case "export", _:
            return str(result["text"])
        case "routes", "test":
            return "".join(f"{step}\n" for step in result["because"])
        case "trace", _:
            return "\n".join(_message(each) for each in result)
        case "dns-check", verb:
            tongue = language()
            return "\n".join(dns_report(each, tongue) for each in (result if verb == "list" else [result]))
    report = REPORTS.get((words.area, words.verb))
    return None if report is None else report(result, language())


def _message(message: Any) -> str:
    """One message of a trace: a line about it, then the message as it was on the wire."""
    if not isinstance(message, dict):
        return f"{message}\n"
    about = "  ".join(str(value) for name, value in message.items() if name != "text")
    text = str(message.get("text", "")).replace("\r\n", "\n")
    return f"{about}\n{''.join(each for each in text if each == chr(10) or each.isprintable())}\n"


def _backup(rest: Sequence[str]) -> Words | None:
    # `backup save file=/...` is how every area may be asked, this one too.
    return None if rest and rest[0] in VERBS_OF_BACKUP else _with_file("save", rest)


def _restore(rest: Sequence[str]) -> Words:
    return _with_file("restore", rest)


def _with_file(verb: str, rest: Sequence[str]) -> Words:
    """A file, and perhaps more values: `backup FILE passphrase=- recordings=yes`."""
    words = Words("backup", verb, values={"file": _file(rest[:1])})
    for word in rest[1:]:
        if "=" not in word:
            raise UsageError("cli.one_file")
        words.values |= _value(word, twice=verb == "save")
    return words


def _import(rest: Sequence[str]) -> Words | None:
    if len(rest) > 1:
        return None
    try:
        text = sys.stdin.read() if rest == ["-"] else Path(_file(rest)).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise UsageError("cli.not_utf8") from error
    return Words("import", "apply", values={"text": text})


def _file(rest: Sequence[str]) -> str:
    """The one file that was named. The exchange works in another folder, so it is told the whole path."""
    if len(rest) != 1:
        raise UsageError("cli.one_file")
    return str(Path(rest[0]).absolute())


def _export(rest: Sequence[str]) -> Words | None:
    return None if rest else Words("export", "show")


def _dns_check(rest: Sequence[str]) -> Words | None:
    if not rest:
        raise UsageError("cli.one_name")
    return None if len(rest) > 1 or rest[0] == "list" else Words("dns-check", "show", rest[0])


def _calls(rest: Sequence[str]) -> Words | None:
    if len(rest) == 3 and rest[0] == "dial" and "=" not in rest[2]:
        return Words("calls", "dial", rest[1], {"to": rest[2]})
    return None


def _music(rest: Sequence[str]) -> Words | None:
    # `music set tones=china` is as in every area; `music set FILE` is told the whole path, too.
    if rest[:1] != ["set"] or len(rest) != 2 or "=" in rest[1]:
        return None
    return Words("music", "set", values={"file": _file(rest[1:])})


def _prompts(rest: Sequence[str]) -> Words | None:
    if len(rest) != 3 or rest[0] not in ("set", "save") or "=" in rest[2]:
        return None
    return Words("prompts", rest[0], rest[1], {"file": _file(rest[2:])})


SHORT_FORMS = {
    "calls": _calls,
    "music": _music,
    "prompts": _prompts,
    "backup": _backup,
    "restore": _restore,
    "import": _import,
    "export": _export,
    "dns-check": _dns_check,
}


def _secret(name: str, *, twice: bool = False) -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    secret = getpass.getpass(f"{name}: ")
    if twice and getpass.getpass(f"{name} ({locale.say('cli.again', language())}): ") != secret:
        raise UsageError("cli.not_the_same")
    return secret


def _print(text: str) -> int:
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever reads has seen enough (`| head`); the interpreter must not try to flush once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return DONE


def _fail(reason: str, status: int) -> int:
    sys.stderr.write(f"branchbox: {reason}\n")
    return status
