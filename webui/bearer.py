"""Programs with a token: who asks, and what a refusal looks like.

RFC 6750 §2.1, §3. Tokens come in the Authorization header only, never in an address.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from appliance.errors import ConfigError, PeerError
from webui import words
from webui.answer import json_answer

if TYPE_CHECKING:
    from webui.answer import Answer
    from webui.visit import Visit

__all__ = ["NO_TOKEN", "error_answer", "token_of"]

NO_TOKEN = ConfigError("", "console.api.no_token")
LONGEST_TOKEN = 200


def token_of(visit: Visit) -> str | None:
    """The id of the token that came with the request; None when there is none, or a wrong one."""
    scheme, _, token = visit.headers.get("authorization", "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not 0 < len(token) <= LONGEST_TOKEN:
        return None
    try:
        found: Any = visit.perform("admin", "check-token", token=token)
    except (ConfigError, PeerError):
        return None
    return str(found["id"])


def error_answer(error: ConfigError | PeerError, status: int, visit: Visit) -> Answer:
    """A refusal as JSON: the key for programs, the sentence for whoever reads the log."""
    if isinstance(error, PeerError):
        body = {"path": "", "key": "error.peer", "params": {"status": error.status}, "message": error.reason}
    else:
        message = words.say(error.key, visit.language, **error.params)
        body = {"path": error.path, "key": error.key, "params": error.params, "message": message}
    answer = json_answer({"error": body}, status)
    return answer.with_header("WWW-Authenticate", 'Bearer realm="branchbox"') if status == 401 else answer
