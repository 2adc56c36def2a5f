"""appliance/service/registrations.py: who stays registered when extensions change, and after a restart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import msgspec
import pytest

from appliance.config.extension import Extension
from appliance.directory import Bindings
from appliance.service.registrations import Registrations
from appliance.store.bindings import BindingRow
from tests.directory.fakes import HandClock

if TYPE_CHECKING:
    from collections.abc import Iterable

    from appliance.store.store import Store

PHONE = ("udp", "192.0.2.1", 5060, "192.0.2.7", 5060, 3600, "Phone", "call-id", 1, 0.0)
ROW = BindingRow("101", "<sip:101@192.0.2.7:5060>", 1.0, *PHONE)
ANNA = Extension(number="101", ha1_md5="m", ha1_sha256="s")


class Office:
    """Bindings and what the store was told to keep of them."""

    def __init__(self, **extensions: Extension) -> None:
        self.bindings = Bindings(HandClock())
        self.saved: dict[str, list[tuple[object, ...]]] = {}
        self.changes = 0
        self.registrations = Registrations(cast("Store", self), self.bindings, self.changed)
        self.registrations.follow({each.number: each for each in extensions.values()})

    def save_bindings(self, number: str, rows: Iterable[tuple[object, ...]]) -> None:
        self.saved[number] = list(rows)

    def changed(self) -> None:
        self.changes += 1

    @property
    def registered(self) -> list[str]:
        return [each.number for each in self.bindings.all()]


@pytest.fixture
def office() -> Office:
    office = Office(anna=ANNA)
    office.registrations.take_up([ROW])
    assert office.registered == ["101"]
    return office


@pytest.mark.parametrize(
    "change", [{"name": "Anna"}, {"ring_seconds": 20}, {"ha1_sha512_256": "later kept, same password"}]
)
def test_a_change_that_is_not_about_the_phone_leaves_it_registered(
    office: Office, change: dict[str, Any]
) -> None:
    office.registrations.follow({"101": msgspec.structs.replace(ANNA, **change)})
    assert office.registered == ["101"]
    assert office.changes == 0


@pytest.mark.parametrize("change", [{"enabled": False}, {"ha1_sha256": "another password"}])
def test_who_may_not_register_any_more_is_forgotten_on_the_disk_too(
    office: Office, change: dict[str, Any]
) -> None:
    office.registrations.follow({"101": msgspec.structs.replace(ANNA, **change)})
    assert office.registered == []
    assert office.saved == {"101": []}
    assert office.changes == 1


def test_a_removed_extension_is_forgotten(office: Office) -> None:
    office.registrations.follow({})
    assert office.registered == []


def test_a_restart_takes_up_nobody_who_is_gone() -> None:
    office = Office(anna=msgspec.structs.replace(ANNA, enabled=False))
    office.registrations.take_up([ROW, ROW._replace(number="999")])
    assert office.registered == []


def test_one_bad_row_costs_nobody_else(caplog: pytest.LogCaptureFixture) -> None:
    office = Office(anna=ANNA, bob=msgspec.structs.replace(ANNA, number="102"))
    office.registrations.take_up([ROW._replace(contact="<<"), ROW._replace(number="102")])
    assert office.registered == ["102"]
    assert "101" in caplog.text
