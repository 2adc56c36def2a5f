"""Area `admin`: the administrator's password, the set-up code, and the tokens of scripts."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from appliance.config.extension import check_name
from appliance.control.area import Area, Done, Key, Nothing, Request, Verb, not_found
from appliance.control.parts import moment
from appliance.errors import ConfigError
from appliance.store import administrators, tokens

if TYPE_CHECKING:
    from appliance.control.parts import Parts
    from appliance.store.tokens import TokenRow

__all__ = ["AREA", "check_password", "is_set_up", "put_hash"]

# There is one administrator so far; the table is made for more.
ADMINISTRATOR = "admin"


class SetUp(msgspec.Struct, frozen=True, kw_only=True):
    """The first password, or a new one when the old one is lost."""

    code: str
    "The one-time code from the serial console or the exchange's own output."
    password: str
    "8 to 256 characters."


class LogIn(msgspec.Struct, frozen=True, kw_only=True):
    """A try to log in."""

    password: str


class NewPassword(msgspec.Struct, frozen=True, kw_only=True):
    """A change of the password."""

    password: str
    "8 to 256 characters."
    current: str = ""
    "The password so far; whoever is on the box itself need not know it."


class Administrator(msgspec.Struct, frozen=True):
    """Who has logged in."""

    name: str


class Code(msgspec.Struct, frozen=True):
    """A set-up code; empty when there is none."""

    code: str


class NewToken(msgspec.Struct, frozen=True):
    """A token to be made."""

    name: str
    "What it is for: 1 to 64 characters."


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a token."""

    id: str
    name: str
    created_at: datetime | None


class MadeToken(msgspec.Struct, frozen=True, kw_only=True):
    """A new token, shown this once."""

    id: str
    name: str
    token: str


class TokenCheck(msgspec.Struct, frozen=True):
    """A token that somebody showed."""

    token: str


async def is_set_up(parts: Parts) -> bool:
    """Whether there is an administrator."""
    return await parts.store.run(administrators.any_exists)


async def set_up(parts: Parts, request: Request[SetUp]) -> Done:
    parts.setup_code.check(request.values.code)
    await _put_password(parts, request.values.password)
    parts.setup_code.spend()
    return Done()


async def log_in(parts: Parts, request: Request[LogIn]) -> Administrator:
    await check_password(parts, request.actor, request.values.password)
    return Administrator(ADMINISTRATOR)


async def set_password(parts: Parts, request: Request[NewPassword]) -> Done:
    if not request.is_local:
        await check_password(parts, request.actor, request.values.current)
    await _put_password(parts, request.values.password)
    return Done()


async def new_code(parts: Parts, _: Request[Nothing]) -> Code:
    return Code(parts.setup_code.renew())


async def first_code(parts: Parts, _: Request[Nothing]) -> Code:
    if await is_set_up(parts):
        return Code("")
    return Code(parts.setup_code.good or parts.setup_code.renew())


async def list_tokens(parts: Parts, _: Request[Nothing]) -> list[Token]:
    return [_token(row) for row in await parts.store.run(tokens.load)]


async def add_token(parts: Parts, request: Request[NewToken]) -> MadeToken:
    name = request.values.name.strip()
    if not name:
        raise ConfigError("admin.name", "error.value_missing", name="name")
    check_name("admin.name", name)
    made = await parts.store.run(lambda db: tokens.add(db, name))
    if made is None:
        raise ConfigError("admin", "error.too_many", limit=tokens.MAX_TOKENS)
    row, token = made
    return MadeToken(id=row.id, name=row.name, token=token)


async def remove_token(parts: Parts, request: Request[Nothing]) -> Done:
    if not await parts.store.run(lambda db: tokens.remove(db, request.key)):
        raise not_found(request.path)
    return Done()


async def check_token(parts: Parts, request: Request[TokenCheck]) -> Token:
    row = await parts.store.run(lambda db: tokens.find(db, request.values.token))
    if row is None:
        raise ConfigError("admin.token", "error.wrong_token")
    return _token(row)


async def check_password(parts: Parts, actor: str, password: str) -> None:
    """ConfigError unless it is the administrator's."""

    async def stored() -> str | None:
        return await parts.store.run(lambda db: administrators.password_hash(db, ADMINISTRATOR))

    await parts.login.check(actor, password, stored)


async def _put_password(parts: Parts, password: str) -> None:
    await put_hash(parts, await parts.login.make("admin.password", password))


async def put_hash(parts: Parts, hashed: str) -> None:
    """The administrator's password from now on, as `Login.make` gave it."""
    await parts.store.run(lambda db: administrators.put(db, ADMINISTRATOR, hashed))


def _token(row: TokenRow) -> Token:
    return Token(id=row.id, name=row.name, created_at=moment(row.created_at))


AREA = Area(
    "admin",
    "The administrator's password, and the tokens of scripts",
    (
        Verb("set-up", set_up, SetUp, Done, "Set a password by the one-time code", changes=True),
        Verb("log-in", log_in, LogIn, Administrator, "Prove the password"),
        Verb("set-password", set_password, NewPassword, Done, "Change the password", changes=True),
        Verb("new-code", new_code, Nothing, Code, "Make a new one-time code", local=True),
        Verb("first-code", first_code, Nothing, Code, "The code of a box that nobody has set up", local=True),
        Verb("tokens", list_tokens, Nothing, list[Token], "All tokens"),
        Verb("add-token", add_token, NewToken, MadeToken, "Make a token", changes=True),
        Verb("remove-token", remove_token, Nothing, Done, "Make a token void", key=Key.NEEDED, changes=True),
        Verb("check-token", check_token, TokenCheck, Token, "Whose token this is"),
    ),
)
