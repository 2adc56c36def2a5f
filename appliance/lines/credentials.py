"""What a line answers to its carrier's challenges, and what it sends before it is challenged again.

RFC 3261 §22; RFC 7616 §3.3 (stale), §3.4 (nonce count), §3.6 (next use); RFC 8760 §2.4 (several algorithms).

    attempt = credentials.attempt(method)         # one for each request that a user wants to be answered
    attempt.put(request)                          # what is known already goes with the first try
    again = attempt.answer(request, response)     # a 401 or 407 came: the request to send instead, or Unproven
    attempt.accepted(response)                    # something else came: what was said holds for the next request
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from appliance.errors import PeerError
from appliance.sip.message import Authorization, Challenge, Request
from appliance.sip.message.digest import ALGORITHMS, ha1
from appliance.sip.message.grammar import quote, unescape_quoted

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable

    from appliance.lines.account import Account
    from appliance.sip.message import Response

__all__ = [
    "MAX_TRIES",
    "Attempt",
    "Credentials",
    "Unproven",
    "UnprovenCause",
    "early",
    "next_request",
    "strongest",
]

MAX_TRIES = 3
"How often one request is proven anew. A stale nonce takes two tries, a proxy before the registrar one more."

MAX_REALMS = 4
"Realms remembered, and answered in one request: a carrier has one or two, and nobody shall fill our memory with them."

MAX_CHALLENGES = 16
"Header lines that are read of one response: three algorithms for each realm, and some that we do not know."

MAX_COUNT = 0xFFFF_FFFF
"RFC 7616 §3.4: a nonce count has eight hexadecimal digits."

STRENGTH = ("SHA-512-256", "SHA-256", "MD5")
assert set(STRENGTH) == ALGORITHMS.keys()
PROOF_OF = {"WWW-Authenticate": "Authorization", "Proxy-Authenticate": "Proxy-Authorization"}
"§22.2, §22.3: which header answers which. A 401 may bear a proxy's challenge, too (§16.7 item 7)."

INFO_FOR = {"Authentication-Info": "Authorization", "Proxy-Authentication-Info": "Proxy-Authorization"}
"RFC 7616 §3.5, §3.6: where a server, and a proxy, says which nonce it wants next."
# RFC 7616 §3.5: nextnonce = "nextnonce" "=" nonce-value
_NEXT_NONCE = re.compile(r'(?:^|[,\s])nextnonce[ \t]*=[ \t]*"((?:[^"\\]|\\.)+)"', re.IGNORECASE)

UnprovenCause = Literal["wrong_password", "wrong_realm", "no_algorithm", "too_many_tries", "no_challenge"]


@dataclass(frozen=True, slots=True)
class Unproven:
    """A challenge that is not answered."""

    cause: UnprovenCause
    detail: str = ""
    "The realm, or the algorithms, that the carrier named; no secret."


@dataclass(frozen=True, slots=True)
class Demand:
    """One challenge, and the header in which it is answered."""

    header: str
    challenge: Challenge

    @property
    def key(self) -> tuple[str, str]:
        """Who asks."""
        return self.header, self.challenge.realm


def strongest(response: Response) -> list[Demand]:
    """Of each realm's challenges the one with the strongest algorithm that we know; others are left out."""
    best: dict[tuple[str, str], Demand] = {}
    for demand in demands(response):
        rival = best.get(demand.key)
        if _usable(demand.challenge) and (rival is None or _rank(demand) < _rank(rival)):
            best[demand.key] = demand
    return list(best.values())[:MAX_REALMS]


def demands(response: Response) -> list[Demand]:
    """All Digest challenges that can be read. Another scheme is another's affair."""
    found = []
    for asked, header in PROOF_OF.items():
        for line in response.headers.get_all(asked)[:MAX_CHALLENGES]:
            try:
                found.append(Demand(header, Challenge.parse(line)))
            except PeerError:
                continue
    return found


def _usable(challenge: Challenge) -> bool:
    known_qop = not challenge.qop or "auth" in challenge.qop or "auth-int" in challenge.qop
    return challenge.algorithm in ALGORITHMS and known_qop


def _rank(demand: Demand) -> int:
    return STRENGTH.index(demand.challenge.algorithm)


def next_request(request: Request, proofs: Iterable[tuple[str, str]]) -> Request:
    """The request once more (§22.2): same Call-ID, From and To, the next CSeq, no Via, and these proofs alone."""
    headers = request.headers.copy()
    headers.remove("Via")
    for header in PROOF_OF.values():
        headers.remove(header)
    for header, value in proofs:
        headers.add(header, value)
    headers.set("CSeq", f"{request.cseq.number + 1} {request.method}")
    return Request(request.method, request.uri, headers, request.body)


class Nonce:
    """A challenge in use."""

    __slots__ = ("count", "demand", "registers")

    def __init__(self, demand: Demand, *, registers: bool) -> None:
        self.demand = demand
        self.registers = registers
        self.count = 0


class Credentials:
    """One line's, for as long as its account stays as it is."""

    def __init__(self, account: Account, random: random.Random) -> None:
        self._account = account
        self._random = random
        self._nonces: dict[tuple[str, str, bool], Nonce] = {}
        self._realms: dict[str, None] = {}  # that a registrar of ours has accepted us in, the newest last

    def __repr__(self) -> str:
        return f"<Credentials of {self._account.name}>"

    def attempt(self, method: str) -> Attempt:
        """Begin a request of that method."""
        return Attempt(self, registers=method == "REGISTER")

    def answers(self, realm: str, *, registers: bool) -> bool:
        """Whether that realm is our carrier's.

        A REGISTER goes to nobody but the configured server. What other requests meet may come from whomever
        we call, who would get a proof to guess the password from.
        """
        if self._account.realm:
            return realm == self._account.realm
        return (
            registers or realm in self._realms or realm.lower() in self._account.hosts() or not self._realms
        )

    def known(self, *, registers: bool) -> list[Nonce]:
        """What may be sent before anybody asks: a proxy takes its own header out, the callee would read the other."""
        return [
            nonce
            for nonce in self._nonces.values()
            if nonce.registers is registers and (registers or nonce.demand.header == "Proxy-Authorization")
        ]

    def keep(self, demand: Demand, *, registers: bool) -> Nonce:
        """From now on this challenge counts, for the realm that it comes from."""
        key = (*demand.key, registers)
        self._nonces.pop(key, None)
        nonce = self._nonces[key] = Nonce(demand, registers=registers)
        if len(self._nonces) > 2 * MAX_REALMS:
            del self._nonces[next(iter(self._nonces))]
        return nonce

    def forget(self, nonce: Nonce) -> None:
        """It is not accepted any more."""
        key = (*nonce.demand.key, nonce.registers)
        if self._nonces.get(key) is nonce:
            del self._nonces[key]

    def trust(self, realm: str) -> None:
        """Our registrar has accepted us in that realm."""
        self._realms.pop(realm, None)
        self._realms[realm] = None
        if len(self._realms) > MAX_REALMS:
            del self._realms[next(iter(self._realms))]

    def renew(self, nonce: Nonce, value: str) -> None:
        """RFC 7616 §3.5: this is the nonce to use next."""
        challenge = nonce.demand.challenge
        renewed = Challenge(challenge.realm, value, challenge.algorithm, challenge.qop, challenge.opaque)
        self.keep(Demand(nonce.demand.header, renewed), registers=nonce.registers)

    def prove(self, nonce: Nonce, request: Request) -> tuple[str, str]:
        """The header that answers for this request."""
        account, challenge = self._account, nonce.demand.challenge
        nonce.count += 1
        proof = Authorization.answer(
            challenge,
            request.method,
            request.uri,
            account.digest_name,
            ha1(challenge.algorithm, account.digest_name, challenge.realm, account.password),
            cnonce=f"{self._random.getrandbits(64):016x}",
            count=nonce.count,
            body=request.body,
        )
        return nonce.demand.header, str(proof)


class Attempt:
    """One request of ours, however often it has to be sent until somebody takes it."""

    def __init__(self, credentials: Credentials, *, registers: bool) -> None:
        self._credentials = credentials
        self._registers = registers
        self._tries = 0
        self._used: dict[tuple[str, str], Nonce] = {}  # with the newest try
        self._fresh: set[tuple[str, str]] = set()  # of these, those that were challenges to this very request

    def put(self, request: Request) -> None:
        """Add to a request what its carrier would ask for otherwise."""
        for nonce in self._credentials.known(registers=self._registers):
            if nonce.count < MAX_COUNT:
                self._used[nonce.demand.key] = nonce
                request.headers.add(*self._credentials.prove(nonce, request))

    def answer(self, request: Request, response: Response) -> Request | Unproven:
        """The request to send in place of one that got this 401 or 407: without a Via, and with the next CSeq."""
        asked = strongest(response)
        refusal = self._refusal(asked, response)
        if refusal is not None:
            self._forget()
            return refusal
        self._tries += 1
        for demand in asked:
            if self._credentials.answers(demand.challenge.realm, registers=self._registers):
                self._used[demand.key] = self._credentials.keep(demand, registers=self._registers)
                self._fresh.add(demand.key)
        # §22.3: what other realms on the way have asked for before goes along again.
        return next_request(
            request, [self._credentials.prove(nonce, request) for nonce in self._used.values()]
        )

    def accepted(self, response: Response) -> None:
        """A final response other than a challenge came."""
        self._note_next(response)
        if self._registers and 200 <= response.status < 300:
            for _, realm in self._used:
                self._credentials.trust(realm)

    def _refusal(self, asked: list[Demand], response: Response) -> Unproven | None:
        if not asked:
            algorithms = ", ".join(dict.fromkeys(each.challenge.algorithm for each in demands(response)))
            return Unproven("no_algorithm", algorithms) if algorithms else Unproven("no_challenge")
        ours = [
            each
            for each in asked
            if self._credentials.answers(each.challenge.realm, registers=self._registers)
        ]
        if not ours:
            return Unproven("wrong_realm", asked[0].challenge.realm)
        for each in ours:
            # RFC 7616 §3.3: a fresh nonce was refused, and not as stale: it is the password, or the name.
            if each.key in self._fresh and not each.challenge.stale:
                return Unproven("wrong_password", each.challenge.realm)
        return Unproven("too_many_tries", ours[0].challenge.realm) if self._tries >= MAX_TRIES else None

    def _forget(self) -> None:
        for nonce in self._used.values():
            self._credentials.forget(nonce)

    def _note_next(self, response: Response) -> None:
        for info, header in INFO_FOR.items():
            found = _NEXT_NONCE.search(response.headers.get(info) or "")
            asked = [nonce for nonce in self._used.values() if nonce.demand.header == header]
            if found is not None and len(asked) == 1:  # the header does not say which realm it is of
                self._credentials.renew(asked[0], unescape_quoted(found[1]))


def early(account: Account, uri: str) -> tuple[str, str]:
    """The Authorization that only names us, for a registrar that must know whom to challenge (TS 24.229 §5.1.1.2.3)."""
    realm = account.realm or account.domain or account.server
    names = f"username={quote(account.digest_name)}, realm={quote(realm)}"
    return "Authorization", f'Digest {names}, nonce="", uri={quote(uri)}, response=""'
