"""All live transactions, and which one a message belongs to.

RFC 3261 §17.1.3, §17.2.3, §8.2.2.2 (merged requests), §9.2 (the INVITE of a CANCEL), §16.3 (loops).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from appliance.errors import PeerError
from appliance.sip.transaction.matching import cancelled_key, client_key, is_retry, merge_key

if TYPE_CHECKING:
    from appliance.sip.live_transaction import ClientTransaction, LiveTransaction, ServerTransaction
    from appliance.sip.message import Request, Response, Via
    from appliance.sip.transaction.matching import ClientKey, MergeKey, ServerKey
    from appliance.sip.transport.flow import Flow

__all__ = ["TransactionTable"]


class TransactionTable:
    """Client and server transactions by their keys. Its bound is the endpoint's MAX_TRANSACTIONS."""

    def __init__(self) -> None:
        self._clients: dict[ClientKey, ClientTransaction] = {}
        self._servers: dict[ServerKey, ServerTransaction] = {}
        self._merged: dict[MergeKey, ServerTransaction] = {}

    def __len__(self) -> int:
        return len(self._clients) + len(self._servers)

    def client_of(self, response: Response) -> ClientTransaction | None:
        """The request that a response answers; None for a stray one."""
        client = self._clients.get(client_key(response))
        # §8.1.3.3: with more than one Via it is for a hop behind us, and came here by mistake.
        return client if client is not None and _vias_below(response) == [] else None

    def server(self, key: ServerKey) -> ServerTransaction | None:
        """The transaction that a request repeats, or whose ACK it is."""
        return self._servers.get(key)

    def cancelled_by(self, cancel: ServerTransaction) -> ServerTransaction | None:
        """The INVITE that a CANCEL is for."""
        return self._servers.get(cancelled_key(cancel.key))

    def merges(self, transaction: ServerTransaction) -> bool:
        """Whether this is a request that came already, by another way. The first one is remembered."""
        key = merge_key(transaction.request)
        first = self._merged.setdefault(key, transaction)
        if first is not transaction:
            return not is_retry(first.key, transaction.key)
        transaction.merge = key
        return False

    def came_back(self, request: Request) -> bool:
        """Whether this is a request of ours that somebody sent back as it was: our Via stands below theirs.

        §16.3 step 4: one that comes back with another Request-URI is a spiral, and may well be meant.
        """
        for via in _vias_below(request) or ():
            client = self._clients.get((via.branch, request.method))
            if client is not None and client.request.uri == request.uri:
                return True
        return False

    def on_flow(self, flow: Flow) -> list[LiveTransaction]:
        """All that send over that flow."""
        found: list[LiveTransaction] = [*self._clients.values(), *self._servers.values()]
        remote = flow.remote  # compared first, as there may be tens of thousands
        return [one for one in found if one.flow.remote == remote and one.flow.same_way(flow)]

    def add_client(self, transaction: ClientTransaction) -> None:
        self._clients[transaction.key] = transaction

    def add_server(self, transaction: ServerTransaction) -> None:
        self._servers[transaction.key] = transaction

    def forget_client(self, transaction: ClientTransaction) -> None:
        """It has ended."""
        self._clients.pop(transaction.key, None)

    def forget_server(self, transaction: ServerTransaction) -> None:
        """It has ended."""
        self._servers.pop(transaction.key, None)
        if transaction.merge is not None:
            self._merged.pop(transaction.merge, None)


def _vias_below(message: Request | Response) -> list[Via] | None:
    """The Vias below the topmost, which is mostly alone; None when they cannot be read, as other hops wrote them."""
    lines = message.headers.get_all("Via")
    if len(lines) == 1 and "," not in lines[0]:
        return []
    try:
        return message.vias[1:]
    except PeerError:
        return None
