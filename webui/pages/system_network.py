"""Save how the box is reached: addresses, VLAN, Wi-Fi."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from appliance.errors import ConfigError
from webui import form
from webui.pages.system import draw
from webui.routes import Route

if TYPE_CHECKING:
    from webui.answer import Answer
    from webui.visit import Visit

__all__ = ["ROUTES"]

CHOICES = (
    form.choice("mode", ("dhcp", "static")),
    form.choice("ipv6", ("automatic", "static", "off")),
    form.choice("link", ("cable", "wifi")),
)
IPV4 = (
    form.text("address", longest=45, required=True),
    form.whole("prefix", 8, 30),
    form.text("gateway", longest=45),
)
IPV6 = (
    form.text("address6", longest=45, required=True),
    form.whole("prefix6", 8, 127),
    form.text("gateway6", longest=45),
)
DNS = (form.text("dns", longest=200),)
CABLE = (form.whole("vlan", 0, 4094, omit_empty=True),)
WIFI = (
    form.text("wifi_ssid", longest=32, required=True),
    form.secret("wifi_password", shortest=8, omit_empty=True),
    form.text("wifi_country", longest=2),
)


def save(visit: Visit) -> Answer:
    reading = form.read(_fields(visit), visit.form)
    if not reading.good:
        return draw(visit, "network", reading)
    try:
        now = visit.perform("system", "set", **_values(reading))
    except ConfigError as error:
        return draw(visit, "network", form.refused(reading, error))
    # What is on trial says so itself, on every page.
    return visit.back_to("/system", "" if now.get("trial") else "console.system.network_saved")


def _fields(visit: Visit) -> tuple[form.Field, ...]:
    """Those that count with what is chosen: the others stay as they are."""
    static4, static6 = visit.form.get("mode") == "static", visit.form.get("ipv6") == "static"
    return (
        *CHOICES,
        *(IPV4 if static4 else ()),
        *(IPV6 if static6 else ()),
        *(DNS if static4 or static6 else ()),
        *(WIFI if visit.form.get("link") == "wifi" else CABLE),
    )


def _values(reading: form.Reading) -> dict[str, Any]:
    values = {"vlan": 0, **reading.values}
    values["network"] = values.pop("mode")
    if "dns" in values:
        values["dns"] = str(values["dns"]).replace(",", " ").split()
    if "wifi_country" in values:
        values["wifi_country"] = str(values["wifi_country"]).upper()
    return values


ROUTES = (Route("POST", "/system/network", save),)
