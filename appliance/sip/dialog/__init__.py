"""Dialogs and the INVITE usage: pure, without clock, socket or log.

RFC 3261 §12, §13, §14; RFC 3262; RFC 3264; RFC 4028; RFC 6337.

A server: `Dialog.of_uas` when the INVITE has come, `InviteUsage.received` beside it; `accept` with the
2xx, `receive_ack` with its ACK. A client: `InviteUsage.sent` with the INVITE, `Dialog.of_uac` with each
response that carries a tag it has not seen, `confirm` with the 2xx, `receive_final` for the usage.
Effects come back as values; the caller runs them and hands the timers that fired back in.
"""

from __future__ import annotations

__all__ = [
    "Acknowledged",
    "Dialog",
    "DialogId",
    "EndDialog",
    "Expire",
    "GiveUp",
    "GiveUpWaiting",
    "InviteState",
    "InviteUsage",
    "OfferAnswer",
    "OfferState",
    "RAck",
    "Refresh",
    "ReliableClient",
    "ReliableEffect",
    "ReliableServer",
    "RetryInvite",
    "Send",
    "SendAccepted",
    "SendAck",
    "SendAgain",
    "SessionTimer",
    "StartTimer",
    "StopTimer",
    "StopWaiting",
    "TimerPolicy",
    "UsageEffect",
    "UsageTimer",
    "Wait",
    "rseq_of",
]

from appliance.sip.dialog.dialog import Dialog, DialogId
from appliance.sip.dialog.invite import (
    Acknowledged,
    EndDialog,
    GiveUp,
    InviteState,
    InviteUsage,
    RetryInvite,
    SendAccepted,
    SendAck,
    StartTimer,
    StopTimer,
    UsageEffect,
    UsageTimer,
)
from appliance.sip.dialog.offer import OfferAnswer, OfferState
from appliance.sip.dialog.reliable import (
    GiveUpWaiting,
    RAck,
    ReliableClient,
    ReliableEffect,
    ReliableServer,
    Send,
    SendAgain,
    StopWaiting,
    Wait,
    rseq_of,
)
from appliance.sip.dialog.session_timer import Expire, Refresh, SessionTimer, TimerPolicy
