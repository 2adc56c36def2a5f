"""Who can be reached, and where: registrations and the proof of who somebody is."""

from appliance.directory.bindings import Binding, Bindings, Change
from appliance.directory.credentials import Credentials, Secrets
from appliance.directory.gruu import Gruus
from appliance.directory.registrar import Registrar

__all__ = ["Binding", "Bindings", "Change", "Credentials", "Gruus", "Registrar", "Secrets"]
