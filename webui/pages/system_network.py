"""Save how the box gets its address."""

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

MODE = form.choice("mode", ("dhcp", "static"))
STATIC = (
    form.text("address", longest=45, required=True),
    form.whole("prefix", 8, 30),
    form.text("gateway", longest=45),
    form.text("dns", longest=200),
)


def save(visit: Visit) -> Answer:
    static = visit.form.get("mode") == "static"
    reading = form.read((MODE, *STATIC) if static else (MODE,), visit.form)
    if not reading.good:
        return draw(visit, "network", reading)
    values: dict[str, Any] = {"network": reading.values["mode"]}
    if static:
        values |= {name: reading.values[name] for name in ("address", "prefix", "gateway")}
        values["dns"] = str(reading.values["dns"]).replace(",", " ").split()
    try:
        visit.perform("system", "set", **values)
    except ConfigError as error:
        return draw(visit, "network", form.refused(reading, error))
    return visit.back_to("/system", "console.system.network_saved")


ROUTES = (Route("POST", "/system/network", save),)
