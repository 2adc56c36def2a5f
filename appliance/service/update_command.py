"""`branchbox update FILE|URL`: take one signed update, have it tried, and keep it when it proves itself.

Exit status: 0 it is being tried, 1 refused with the reason and nothing changed.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, BinaryIO

import msgspec

from appliance import __version__
from appliance.control.client import NotRunningError
from appliance.errors import ConfigError
from appliance.locale import say
from appliance.locale.tongue import explain, language
from appliance.service import place_options
from appliance.service.health import measure
from appliance.service.update_look import ask_exchange, not_taken, update_to_take, wait_for_quiet, wall
from appliance.system import box
from appliance.system.apply import Box
from appliance.system.update.fetch import fetched, is_url
from appliance.system.update.state import Before, Refusal, read_state, write_state
from appliance.system.update.updater import examine, install, only_one

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator
    from pathlib import Path

    from appliance.service.update_look import Found
    from appliance.system.update.site import Site
    from appliance.system.update.state import Trial

__all__ = ["HEALTH_UNIT", "HELP", "NAME", "add_arguments", "run", "update"]

NAME = "update"
HELP = "take a signed update, or say how the last one went"
HEALTH_UNIT = "branchbox-health.service"
EXIT_DONE, EXIT_REFUSED = 0, 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    place_options.add_arguments(parser)
    parser.add_argument("--check", action="store_true", help="check it whole, and change nothing")
    parser.add_argument(
        "--requested", action="store_true", help="take what the exchange was asked for (systemd)"
    )
    parser.add_argument(
        "--look", action="store_true", help="look for a newer one, and take it if that is set (systemd)"
    )
    parser.add_argument("source", metavar="FILE|URL", nargs="?", help="the update; none: how the last went")


def run(arguments: argparse.Namespace) -> int:
    """Do it, or say why not."""
    tongue = language()
    site = place_options.site(arguments)
    seen = ""
    if arguments.look:
        found = _found(site, arguments.data)
        if found is None:
            return EXIT_DONE
        arguments.source, seen = found
    if arguments.requested:
        arguments.source = box.requested_update(arguments.data)
    try:
        if arguments.source is None:
            sys.stdout.write(_last(site))
            return EXIT_DONE
        return _check(arguments, site) if arguments.check else _take(arguments, site, seen)
    except ConfigError as error:
        sys.stderr.write(f"branchbox: {explain(error, tongue)}\n")
        if arguments.requested:
            _remember_refusal(site, error)
        if arguments.look:
            _remember_not_taken(site, error)
    except OSError as error:
        sys.stderr.write(f"branchbox: {error}\n")
    finally:
        if arguments.requested:
            with suppress(OSError):
                (arguments.data / box.UPLOADED_FILE).unlink()
    return EXIT_REFUSED


def _check(arguments: argparse.Namespace, site: Site) -> int:
    with only_one(site), opened(arguments.source, site) as file:
        manifest = examine(file, site).manifest
    tongue = language()
    said = [say("update.is_good", tongue, version=manifest.version, kind=manifest.kind)]
    if manifest.made_on:
        said.append(say("update.made_on", tongue, date=manifest.made_on))
    said += [notes] if (notes := manifest.notes.get(tongue, manifest.notes.get("en", ""))) else []
    sys.stdout.write("".join(f"{line}\n" for line in said))
    return EXIT_DONE


def _take(arguments: argparse.Namespace, site: Site, seen: str) -> int:
    with only_one(site), opened(arguments.source, site, believed=not arguments.requested) as file:
        trial = update(file, site, arguments.data, seen)
    # Fetching and writing took minutes, in which somebody may have called.
    starts = not arguments.look or wait_for_quiet(arguments.data)
    said = "update.is_tried" if starts else "update.is_staged"
    sys.stdout.write(say(said, language(), version=trial.version) + "\n")
    sys.stdout.flush()
    return EXIT_DONE if not starts or start(trial, Box(site.root)) else EXIT_REFUSED


@contextmanager
def opened(source: str, site: Site, *, believed: bool = True) -> Iterator[BinaryIO]:
    """The update as a file that can be read twice. ConfigError, OSError.

    `believed`: whether the name was given by root; otherwise no link is followed, and no pipe waited for.
    """
    if is_url(source):
        with fetched(source, site.releases) as file:
            yield file
    else:
        flags = os.O_RDONLY | os.O_CLOEXEC | (0 if believed else os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(os.open(source, flags), "rb") as file:
            yield file


def update(file: BinaryIO, site: Site, data: Path, seen: str = "") -> Trial:
    """Check it whole, write it, and have it tried at the next start. ConfigError, OSError.

    `seen`: the version that it has to be; whoever stands between may hand over an older one, which is signed as well.
    """
    bundle = examine(file, site)
    if seen and bundle.manifest.version != seen:
        raise ConfigError("update", "update.other_version", version=bundle.manifest.version, seen=seen)
    try:
        before = measure(data)
    except (NotRunningError, ConfigError):
        before = Before()  # an exchange that does not run is one more reason to update it
    return install(bundle, site, before)


def start(trial: Trial, machine: Box) -> bool:
    """Start what is to be tried; False when the system would not."""
    match trial.kind:
        case "application":
            done = machine.run("systemctl", "restart", "--no-block", place_options.UNIT)
            return machine.run("systemctl", "restart", "--no-block", HEALTH_UNIT) and done
        case "image":
            return machine.run("systemctl", "reboot")


def _found(site: Site, data: Path) -> Found | None:
    """An update that is to be taken now."""
    wanted = ask_exchange(data)
    if wanted is None:
        return None
    try:
        return update_to_take(site, wanted, wall())
    except (ConfigError, OSError) as error:
        sys.stderr.write(f"branchbox: {error}\n")
        return None


def _remember_not_taken(site: Site, error: ConfigError) -> None:
    with suppress(ConfigError, OSError):
        not_taken(site, error)


def _remember_refusal(site: Site, error: ConfigError) -> None:
    """For whoever asked: they are not at this process's standard error."""
    with suppress(ConfigError, OSError):
        refusal = Refusal(error.key, {name: str(value) for name, value in error.params.items()})
        write_state(site.releases, msgspec.structs.replace(read_state(site.releases), refused=refusal))


def _last(site: Site) -> str:
    state, tongue = read_state(site.releases), language()
    lines = [say("service.version", tongue, version=__version__)]
    if state.trial is not None:
        lines.append(say("update.is_tried", tongue, version=state.trial.version))
    elif state.last is None:
        lines.append(say("update.none_yet", tongue))
    elif state.last.outcome == "kept":
        lines.append(say("update.is_kept", tongue, version=state.last.version))
    else:
        missing = ", ".join(state.last.missing)
        lines.append(say("update.is_gone", tongue, version=state.last.version, missing=missing))
    return "".join(f"{line}\n" for line in lines)
