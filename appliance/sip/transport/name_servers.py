"""Name servers, asked by dnspython: the one place that knows it, beside the check of name servers in `diagnosis`.

RFC 1035; RFC 2782 (SRV), RFC 3403 (NAPTR), RFC 2308 (negative answers).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dns.asyncbackend
import dns.asyncresolver
import dns.exception
import dns.nameserver
import dns.rdata

# dnspython looks for these by name, where no packager sees them.
import dns.rdtypes.ANY.SOA
import dns.rdtypes.IN.A
import dns.rdtypes.IN.AAAA
import dns.rdtypes.IN.NAPTR
import dns.rdtypes.IN.SRV
import dns.resolver

from appliance.sip.transport.locate import DnsFailure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from appliance.sip.transport.flow import Address
    from appliance.sip.transport.record_cache import Question, Records

__all__ = ["MAX_RECORDS", "NameServers", "values"]

QUESTION_WITHIN = 5.0
"Seconds for one question, to all name servers; resolv.conf(5) has the same."

SERVER_WITHIN = 2.0
"Seconds for one name server, before the next one is asked."

MAX_RECORDS = 32
"Records of one answer that are looked at."


class NameServers:
    """Some name servers, or the system's as they are now."""

    def __init__(self, addresses: Sequence[Address] = ()) -> None:
        """Reads the system's settings when there are no `addresses`, which blocks. DnsFailure: there are none."""
        try:
            self._resolver = dns.asyncresolver.Resolver(configure=not addresses)
        except dns.resolver.NoResolverConfiguration as error:
            raise DnsFailure("no name server is set") from error
        if addresses:
            servers = [dns.nameserver.Do53Nameserver(host, port) for host, port in addresses]
            self._resolver.nameservers = servers
        self._resolver.timeout, self._resolver.lifetime = SERVER_WITHIN, QUESTION_WITHIN

    async def query(self, question: Question) -> tuple[Records, float]:
        """The records and for how many seconds they hold. DnsFailure."""
        # Named, as the library would otherwise remember the first event loop it ever saw.
        backend = dns.asyncbackend.get_backend(dns.asyncbackend.sniff())
        try:
            answer = await self._resolver.resolve(
                question.name, question.kind, raise_on_no_answer=False, search=False, backend=backend
            )
        except dns.resolver.NXDOMAIN as error:
            responses = error.kwargs["responses"].values()
            return (), min(response.resolve_chaining().minimum_ttl for response in responses)
        except (dns.exception.DNSException, OSError, UnicodeError) as error:
            msg = f"no answer to {question.kind} {question.name}: {error}"
            raise DnsFailure(msg) from error
        found = [] if answer.rrset is None else list(answer.rrset)
        records = tuple(values(question.kind, record) for record in found[:MAX_RECORDS])
        return records, answer.chaining_result.minimum_ttl


def values(kind: str, record: dns.rdata.Rdata) -> tuple[object, ...]:
    """One record as `Records` have it; names are in lower case and have no dot at their end."""
    each: Any = record  # what its kind has is made at run time
    match kind:
        case "NAPTR":
            name = _name(each.replacement)
            return (
                each.order,
                each.preference,
                each.flags.decode("latin-1"),
                each.service.decode("latin-1"),
                name,
            )
        case "SRV":
            return each.priority, each.weight, each.port, _name(each.target)
        case _:
            return (each.address,)


def _name(name: Any) -> str:
    return str(name.to_text(omit_final_dot=True)).removesuffix(".").lower()
