"""Area `registrations`: which phones are registered, and from where."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from appliance.control.area import Area, Nothing, Request, Verb
from appliance.control.parts import moment, readable

if TYPE_CHECKING:
    from appliance.control.parts import Contact, Parts

__all__ = ["AREA"]


class Registration(msgspec.Struct, frozen=True, kw_only=True):
    """One registered contact."""

    number: str
    contact: str
    source: str
    "The address and port that the registration came from."
    transport: str
    user_agent: str
    expires_in: float
    "Seconds."
    registered_at: datetime | None


async def list_(parts: Parts, _: Request[Nothing]) -> list[Registration]:
    return [_view(parts, each) for each in parts.directory.all()]


def _view(parts: Parts, contact: Contact) -> Registration:
    host, port = contact.flow.remote
    return Registration(
        number=contact.number,
        contact=readable(str(contact.contact)),
        source=f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
        transport=contact.flow.transport,
        user_agent=readable(contact.user_agent),
        expires_in=round(max(0.0, contact.expires_at - parts.now()), 1),
        registered_at=moment(contact.registered_at),
    )


AREA = Area(
    "registrations",
    "Which phones are registered",
    (Verb("list", list_, Nothing, list[Registration], "All registered contacts"),),
)
