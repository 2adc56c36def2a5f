"""The outside world: external lines, where we register, and SIP trunks, whose peers are trusted by address."""

from appliance.lines.account import SEEN, Account
from appliance.lines.credentials import Attempt, Credentials, Unproven
from appliance.lines.outcome import Cause
from appliance.lines.registration import Listener, Registration, RegistrationState, Status

__all__ = [
    "SEEN",
    "Account",
    "Attempt",
    "Cause",
    "Credentials",
    "Listener",
    "Registration",
    "RegistrationState",
    "Status",
    "Unproven",
]
