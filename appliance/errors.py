"""Whose fault it is, and what to answer.

Every error the exchange raises on purpose is one of these. Words for people are not in here: an error
carries a key of `appliance/locale`, and the face that shows it (console, command line, serial) says it
in its reader's language.
"""

from __future__ import annotations

__all__ = ["BranchboxError", "ConfigError", "LocalError", "PeerError"]


class BranchboxError(Exception):
    """The root of all errors raised on purpose."""


class PeerError(BranchboxError):
    """The other side broke a rule, or asks for what it may not have.

    `sip/endpoint` turns it into a response, and is the only place that does.
    """

    def __init__(self, status: int, reason: str, headers: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(f"{status} {reason}")
        self.status = status
        "The SIP status code to answer with, 300 to 699."
        self.reason = reason
        "The reason phrase, in English, as it goes on the wire."
        self.headers = headers
        "Headers the answer must carry beside the usual ones, such as WWW-Authenticate or Allow."


class LocalError(BranchboxError):
    """We broke a rule ourselves: a defect of this program. It is logged whole and never hidden."""


class ConfigError(BranchboxError):
    """A setting was refused. Nothing was changed."""

    def __init__(self, path: str, key: str, **params: object) -> None:
        super().__init__(f"{path}: {key}")
        self.path = path
        "Where: `extensions.101.password`, `system.time_zone`; empty when no single setting is to blame."
        self.key = key
        "The locale key of the reason, such as `error.number_taken`."
        self.params = params
        "What the reason's placeholders stand for. Never a secret."
