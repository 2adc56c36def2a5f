"""An office that uses its services: what pictures and the demo show of them. All names and numbers are made up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.webui.fake_control import busy_office
from tests.webui.fake_outside import iso

if TYPE_CHECKING:
    from typing import Any

    from tests.webui.fake_control import JSON, FakeControl

__all__ = ["whole_office"]

ITEMS: dict[str, tuple[JSON, ...]] = {
    "groups": (
        {
            "name": "600",
            "title": "Sales",
            "members": ["102", "104", "013800001234"],
            "strategy": "longest_idle",
        },
        {"name": "601", "title": "Service 售后", "members": ["103", "105"], "no_answer_to": "600"},
    ),
    "time-conditions": (
        {
            "name": "700",
            "title": "Office hours",
            "hours": ["mon-fri 08:30-17:30", "sat 09:00-12:00"],
            "holidays": ["10-01..10-07", "01-01"],
            "open_to": "600",
            "closed_to": "500",
        },
    ),
    "attendants": (
        {
            "name": "500",
            "title": "Reception 总机",
            "greeting": "welcome",
            "keys": ["1=600", "2=601", "0=101", "9=again"],
            "otherwise_to": "101",
        },
    ),
}
OF_EXTENSIONS: dict[str, dict[str, JSON]] = {
    "forwarding": {
        "102": {"no_answer": "101", "not_registered": "600"},
        "104": {"always": "013800001234"},
        "106": {"busy": "101", "no_answer": "101"},
    },
    "do-not-disturb": {"107": {"enabled": True}},
    "phones": {"101": {"order": "in_order"}, "105": {"call_waiting": False}},
    "anonymous-rejection": {"104": {"enabled": True}},
}


def whole_office(**settings: Any) -> FakeControl:
    """The busy office, with every service set up, calls in the park and in a menu, and two phones of one extension."""
    control = busy_office(**settings)
    for area, items in ITEMS.items():
        for each in items:
            control.service(area, "add", None, each)
    for area, numbers in OF_EXTENSIONS.items():
        for number, values in numbers.items():
            control.service(area, "set", number, values)
    control.live["park"] = [
        {"slot": "1", "number": "013912340001", "name": "", "parked_by": "101", "since": iso(48)},
        {"slot": "3", "number": "105", "name": "仓库 Warehouse", "parked_by": "102", "since": iso(95)},
    ]
    control.live["attendants"] = [
        {"attendant": "500", "number": "057188880042", "name": "", "since": iso(12)}
    ]
    desk = next(each for each in control.registrations if each["number"] == "101")
    contact = {"contact": "sip:101@192.0.2.41:51720", "source": "192.0.2.41:51720", "transport": "tls"}
    control.registrations.insert(
        1, {**desk, **contact, "user_agent": "LinphoneAndroid/5.2.5", "expires_in": 540.0}
    )
    return control
