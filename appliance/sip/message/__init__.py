"""SIP messages: bytes to values and back. Pure: no clock, no socket, no state.

RFC 3261 §7, §19, §20, §25. A file is one value or one idea:

    limits names grammar          what all others stand on
    uri name_addr via cseq        values, each with `parse` and `str`
    digest                        challenges, credentials and their arithmetic
    headers message reasons       what a message is made of
    parse stream                  one datagram, or a stream, into messages

Headers are kept as the peer wrote them and read when somebody asks; what was read is remembered.
"""

from appliance.sip.message.cseq import CSeq
from appliance.sip.message.digest import Authorization, Challenge
from appliance.sip.message.grammar import Params
from appliance.sip.message.headers import Headers
from appliance.sip.message.message import BadMessage, Message, Request, Response
from appliance.sip.message.name_addr import NameAddr
from appliance.sip.message.parse import parse_message
from appliance.sip.message.reasons import reason_phrase
from appliance.sip.message.stream import Keepalive, StreamFramer
from appliance.sip.message.uri import Uri
from appliance.sip.message.via import Via

__all__ = [
    "Authorization",
    "BadMessage",
    "CSeq",
    "Challenge",
    "Headers",
    "Keepalive",
    "Message",
    "NameAddr",
    "Params",
    "Request",
    "Response",
    "StreamFramer",
    "Uri",
    "Via",
    "parse_message",
    "reason_phrase",
]
