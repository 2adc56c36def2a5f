"""Which transaction a message belongs to.

RFC 3261 §17.1.3 (client), §17.2.3 (server, with the rules for branches of RFC 2543), §8.2.2.2 (merged requests).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from appliance.sip.message.via import MAGIC_COOKIE

if TYPE_CHECKING:
    from appliance.sip.message import Request, Response

__all__ = [
    "ClientKey",
    "MergeKey",
    "ServerKey",
    "cancelled_key",
    "client_key",
    "is_retry",
    "merge_key",
    "server_key",
]

ClientKey = tuple[str | None, str]
"Branch and method."
ServerKey = tuple[str | int | None, ...]
"Branch, sent-by and Call-ID, or what RFC 2543 goes by; at the end always transport and method."
MergeKey = tuple[str, str | None, int, str]
"Call-ID, From tag, CSeq number and method."


def client_key(response: Response) -> ClientKey:
    """§17.1.3: the branch of the topmost Via, and the method in CSeq, as a CANCEL has its INVITE's branch."""
    return response.via.branch, response.cseq.method


def server_key(request: Request, transport: str) -> ServerKey:
    """The transaction of a request. An ACK has the key of the INVITE it ends, if that was not accepted.

    `transport` is the one it came over: a client that tries again over another (§18.1.1) waits for an answer there.
    """
    via = request.via
    branch = via.branch
    method = "INVITE" if request.method == "ACK" else request.method
    # The cookie alone names nothing, though RFC 4475 §3.1.2.19 has a peer that sends no more.
    if branch is not None and branch.startswith(MAGIC_COOKIE) and len(branch) > len(MAGIC_COOKIE):
        # §17.2.3: sent-by belongs to it, since somebody else may choose the same branch, by accident or not.
        # The Call-ID is ours to add: phones that use one branch for all their requests are not left without
        # an answer, and it differs within no transaction, CANCEL and ACK included.
        return branch, via.host, via.port, request.call_id, transport, method
    # §17.2.3, RFC 2543 peers. The To tag is left out: the ACK has one that the INVITE had not, and within a
    # dialog another CSeq number tells requests apart.
    return (
        request.call_id,
        request.cseq.number,
        request.from_.tag,
        request.uri,
        request.headers.get("Via"),
        transport,
        method,
    )


def cancelled_key(key: ServerKey) -> ServerKey:
    """§9.2: the key of the INVITE that a CANCEL with this key is for."""
    return (*key[:-1], "INVITE")


def is_retry(first: ServerKey, second: ServerKey) -> bool:
    """Whether both are the same client's same request, which it sent over one transport and then another."""
    return first[:-2] == second[:-2] and first[-2:] != second[-2:]


def merge_key(request: Request) -> MergeKey:
    """§8.2.2.2: what two requests share that are one request come by two ways."""
    cseq = request.cseq
    return request.call_id, request.from_.tag, cseq.number, cseq.method
