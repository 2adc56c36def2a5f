"""The outside world: accounts at carriers, where we register as a phone does here."""

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
