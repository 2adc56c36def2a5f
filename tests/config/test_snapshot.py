"""Edits of a snapshot, and the checks across areas."""

from __future__ import annotations

import msgspec
import pytest

from appliance.config import snapshot as snapshots
from appliance.config.line import Line
from appliance.config.route import Route
from appliance.config.snapshot import Snapshot, verify
from appliance.config.system import System
from appliance.config.trunk import Trunk
from appliance.errors import ConfigError
from tests.config.test_extension import extension

EMPTY = Snapshot(0, System(), {})


def test_an_edit_leaves_the_snapshot_before_it_alone() -> None:
    one = EMPTY.with_extension(extension("101"))
    two = one.with_extensions([extension("102"), extension("101", name="A")])
    assert (list(EMPTY.extensions), list(one.extensions), list(two.extensions)) == (
        [],
        ["101"],
        ["101", "102"],
    )
    assert one.extensions["101"].name == ""
    assert list(two.without_extension("101").extensions) == ["102"]
    assert two.without_extension("999") == two


def test_a_new_extension_is_looked_at() -> None:
    with pytest.raises(ConfigError) as refused:
        verify(EMPTY, EMPTY.with_extension(extension("1")))
    assert refused.value.path == "extensions.1.number"


def test_what_was_there_is_not_looked_at_again() -> None:
    # Stored by an older version with other rules, say: it must not block every other change.
    old = EMPTY.with_extension(extension("1"))
    verify(old, old.with_extension(extension("101")))


def test_the_realm_stays() -> None:
    with pytest.raises(ConfigError) as refused:
        verify(EMPTY, msgspec.structs.replace(EMPTY, system=System(realm="other")))
    assert (refused.value.path, refused.value.key) == ("system.realm", "error.read_only")


def test_a_number_is_its_key() -> None:
    with pytest.raises(ConfigError) as refused:
        verify(EMPTY, msgspec.structs.replace(EMPTY, extensions={"101": extension("102")}))
    assert refused.value.path == "extensions.101.number"


def test_there_is_an_end_to_extensions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "MAX_EXTENSIONS", 1)
    one = EMPTY.with_extension(extension("101"))
    verify(EMPTY, one)
    with pytest.raises(ConfigError) as refused:
        verify(one, one.with_extension(extension("102")))
    assert refused.value.key == "error.too_many"


HOUSE = EMPTY.with_extensions([extension("101"), extension("102")])
LINE = Line(name="a", server="sip.example", account="100")
TO_LINE = Route(name="out", pattern="X.", to=("line:a",), callers=("trunk:hq",))
TO_PHONE = Route(name="night", pattern="500", to=("extension:101",))
SET = (
    HOUSE.with_item("lines", LINE)
    .with_item("trunks", Trunk(name="hq", peers=("192.0.2.9",)))
    .with_item("routes", TO_LINE)
    .with_item("routes", TO_PHONE)
)


def refused(old: Snapshot, new: Snapshot) -> tuple[str, str]:
    with pytest.raises(ConfigError) as failure:
        verify(old, new)
    return failure.value.path, failure.value.key


@pytest.mark.parametrize(
    ("area", "key", "path"), [("lines", "a", "routes.out.to"), ("trunks", "hq", "routes.out.callers")]
)
def test_what_a_route_names_cannot_be_removed(area: str, key: str, path: str) -> None:
    verify(EMPTY, SET)
    gone = SET.without_item(area, key)
    assert refused(SET, gone) == (path, "error.no_such_destination")
    verify(SET, gone.without_item("routes", "out"))
    off = msgspec.structs.replace(SET.items(area)[key], enabled=False)
    verify(SET, SET.with_item(area, off))


def test_an_extension_may_go_though_a_route_leads_to_it_and_nothing_else_is_the_worse_for_it() -> None:
    left = SET.without_extension("101")
    verify(SET, left)
    verify(left, left.with_item("lines", msgspec.structs.replace(LINE, name="b", account="200")))
    for change in (
        {"enabled": False},
        {"times": ("mon-fri 08:00-18:00",)},
        {"to": ("extension:101", "line:a")},
    ):
        verify(left, left.with_item("routes", msgspec.structs.replace(TO_PHONE, **change)))
    new = msgspec.structs.replace(TO_PHONE, name="another")
    assert refused(left, left.with_item("routes", new)) == ("routes.another.to", "error.no_such_destination")
    other = msgspec.structs.replace(TO_PHONE, to=("extension:103",))
    assert refused(left, left.with_item("routes", other))[1] == "error.no_such_destination"


def test_a_route_of_another_version_blocks_no_change() -> None:
    odd = SET.with_item("routes", msgspec.structs.replace(TO_PHONE, name="odd", to=("satellite:1",)))
    verify(odd, odd.with_item("lines", msgspec.structs.replace(LINE, name="b", account="200")))


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({}, "error.same_account"),
        ({"server": "SIP.example"}, "error.same_account"),
        ({"contact_user": "100"}, "error.same_account"),
        ({"port": 5062}, ""),
        ({"enabled": False}, ""),
        ({"contact_user": "second"}, ""),
        ({"server": "sip2.example"}, ""),
        ({"account": "200"}, ""),
    ],
)
def test_two_lines_are_no_single_registration(settings: dict[str, object], key: str) -> None:
    both = SET.with_item("lines", msgspec.structs.replace(LINE, name="b", **settings))
    if key:
        assert refused(SET, both) == ("lines.b.account", key)
    else:
        verify(SET, both)
