"""SIP messages: bytes to values and back. Pure: no clock, no socket, no state.

RFC 3261 §7, §19, §20, §25. A file is one value or one idea:

    limits names grammar          what all others stand on
    uri name_addr via cseq        values, each with `parse` and `str`
    digest                        challenges, credentials and their arithmetic
    event replaces refer_to       what subscriptions and transfers say
    reason history_info diversion why a call came here, or went
    sipfrag                       a status line as a body
    headers message reasons       what a message is made of
    parse stream                  one datagram, or a stream, into messages

Headers are kept as the peer wrote them and read when somebody asks; what was read is remembered.
"""

from appliance.sip.message.cseq import CSeq
from appliance.sip.message.digest import Authorization, Challenge
from appliance.sip.message.diversion import Diversion
from appliance.sip.message.event import AllowEvents, Event, SubscriptionState
from appliance.sip.message.grammar import Params
from appliance.sip.message.headers import Headers
from appliance.sip.message.history_info import HistoryEntry
from appliance.sip.message.message import BadMessage, Message, Request, Response
from appliance.sip.message.name_addr import NameAddr
from appliance.sip.message.parse import parse_message
from appliance.sip.message.reason import Reason
from appliance.sip.message.reasons import reason_phrase
from appliance.sip.message.refer_to import ReferTo
from appliance.sip.message.replaces import Replaces
from appliance.sip.message.sipfrag import SIPFRAG, StatusFragment
from appliance.sip.message.stream import Keepalive, StreamFramer
from appliance.sip.message.uri import Uri
from appliance.sip.message.via import Via

__all__ = [
    "SIPFRAG",
    "AllowEvents",
    "Authorization",
    "BadMessage",
    "CSeq",
    "Challenge",
    "Diversion",
    "Event",
    "Headers",
    "HistoryEntry",
    "Keepalive",
    "Message",
    "NameAddr",
    "Params",
    "Reason",
    "ReferTo",
    "Replaces",
    "Request",
    "Response",
    "StatusFragment",
    "StreamFramer",
    "SubscriptionState",
    "Uri",
    "Via",
    "parse_message",
    "reason_phrase",
]
