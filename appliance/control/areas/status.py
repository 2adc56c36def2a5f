"""Area `status`: what the box is, where it is reached, and how much it has to do."""

from __future__ import annotations

import shutil
import ssl
import time
from typing import TYPE_CHECKING, Literal

import anyio.to_thread
import msgspec

from appliance import __version__
from appliance.call.refusals import Refused
from appliance.control.area import Area, Nothing, Request, Verb
from appliance.control.areas.admin import is_set_up
from appliance.locale import Language
from appliance.system.age import OLD_DAYS, built_at, days_old

if TYPE_CHECKING:
    from appliance.control.parts import Parts

__all__ = ["AREA", "Status"]

LITTLE = 1024 * 1024
"Octets left: a change of settings may need as much, for SQLite writes a whole page of each table and index it touches."

Finding = Literal["disk_full"]


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the box."""

    version: str
    openssl: str
    "The OpenSSL in use by TLS."
    uptime: float
    "Seconds since the exchange started."
    addresses: list[str]
    console_url: str
    host_name: str
    language: Language
    set_up: bool
    "Whether there is an administrator."
    extensions: int
    registrations: int
    "Registered contacts, of which an extension may have several."
    calls: int
    subscriptions: int
    "How many lamps and message counters phones watch now."
    texts: int
    "Text messages that were taken by a phone since the start."
    texts_refused: int
    "Those that were not: nobody there, too long, refused."
    free_space: int
    "Octets left where the data is kept."
    findings: list[Finding]
    """What is wrong with the box itself. `disk_full`: settings are refused, call records wait in memory."""
    refused: list[Refused]
    "Calls from outside that were not let in since the start."
    system_days: int
    "How old the image is that runs; 0: it does not say, or this is none."
    outdated: bool
    "Whether that is so much that an update should be looked for."


async def show(parts: Parts, _: Request[Nothing]) -> Status:
    snapshot = parts.config.current
    figures = parts.figures()
    usage = await anyio.to_thread.run_sync(shutil.disk_usage, parts.store.folder)
    days = days_old(await anyio.to_thread.run_sync(built_at), time.time())
    return Status(
        version=__version__,
        openssl=ssl.OPENSSL_VERSION,
        uptime=round(parts.now() - parts.started_at, 1),
        addresses=list(parts.box.addresses()),
        console_url=parts.box.console_url(),
        host_name=snapshot.system.host_name,
        language=snapshot.system.language,
        set_up=await is_set_up(parts),
        extensions=len(snapshot.extensions),
        registrations=len(parts.directory),
        calls=len(parts.exchange),
        subscriptions=figures.get("subscriptions", 0),
        texts=figures.get("texts", 0),
        texts_refused=figures.get("texts_refused", 0),
        free_space=usage.free,
        findings=["disk_full"] if usage.free < LITTLE else [],
        refused=parts.exchange.refusals.all(),
        system_days=days,
        outdated=days >= OLD_DAYS,
    )


AREA = Area(
    "status",
    "The state of the box",
    (Verb("show", show, Nothing, Status, "Version, addresses, and what is going on"),),
)
