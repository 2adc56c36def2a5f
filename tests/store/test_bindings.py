"""Table `bindings`."""

from __future__ import annotations

from appliance.store import bindings
from appliance.store.bindings import BindingRow
from appliance.store.store import Store


def row(number: str, contact: str) -> BindingRow:
    return BindingRow(
        number, contact, 0.5, "udp", "192.0.2.1", 5060, "192.0.2.9", 5062, 3600, "phone", "c@1", 7, 1000.25
    )


async def test_the_bindings_of_one_extension_are_replaced(store: Store) -> None:
    a, b, c = (
        row("101", "<sip:a@192.0.2.9>"),
        row("101", "<sip:b@192.0.2.9>"),
        row("102", "<sip:c@192.0.2.9>"),
    )
    await store.run(lambda db: bindings.replace(db, "101", [a, b]))
    await store.run(lambda db: bindings.replace(db, "102", [c]))
    assert await store.run(bindings.load) == [a, b, c]
    await store.run(lambda db: bindings.replace(db, "101", [b]))
    assert await store.run(bindings.load) == [b, c]
    await store.run(lambda db: bindings.replace(db, "101", ()))
    assert await store.run(bindings.load) == [c]
