"""Area `update`: what root remembers is shown, and what is asked for is left for root."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance import __version__
from appliance.backup import on_stick
from appliance.errors import ConfigError
from appliance.system import box
from appliance.system.update.state import Last, Refusal, State, write_state
from tests.control.fakes import Bench

SOURCE = "https://example.com/branchbox.bundle"


async def test_from_a_checkout_there_is_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BRANCHBOX_RELEASES", raising=False)
    assert (await bench("update", "show"))["version"] == __version__
    with pytest.raises(ConfigError, match="not_an_appliance"):
        await bench("update", "install", source=SOURCE)
    assert not (bench.store.folder / "wanted-update.json").exists()


async def test_what_root_remembers_is_shown(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BRANCHBOX_RELEASES", str(tmp_path / "releases"))
    assert (await bench("update", "show"))["last"] is None
    last = Last("image", "0.2.0", "came_back", ("sip",))
    write_state(tmp_path / "releases", State(3, last=last, refused=Refusal("update.busy")))
    shown = await bench("update", "show")
    assert (shown["security_level"], shown["last"], shown["outcome"]) == (3, "0.2.0", "came_back")
    assert (shown["missing"], shown["refused"]) == (["sip"], "update.busy")


async def test_an_update_is_asked_for_once(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRANCHBOX_APPLIANCE", "1")
    await bench("update", "install", source=f" {SOURCE} ", actor="web:admin")
    folder = bench.store.folder
    assert box.read_request(folder) == "update"
    assert box.requested_update(folder) == SOURCE
    assert box.requested_update(folder) is None


async def test_an_update_that_was_uploaded(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is moved where root looks for it, and asked for once; nobody but the box itself says which file."""
    monkeypatch.setenv("BRANCHBOX_APPLIANCE", "1")
    folder, file = bench.store.folder, tmp_path / "upload"
    file.write_bytes(b"a bundle")
    with pytest.raises(ConfigError, match="only_on_the_box"):
        await bench("update", "install", actor="web:admin", file=str(file))
    await bench("update", "install", file=str(file))
    assert not file.exists()
    asked = box.requested_update(folder)
    assert asked == str(folder / "update.bundle")
    assert (folder / "update.bundle").read_bytes() == b"a bundle"
    assert box.requested_update(folder) is None
    with pytest.raises(ConfigError, match="cannot_write"):
        await bench("update", "install", file=str(file))


async def test_from_a_checkout_nothing_is_moved(bench: Bench, tmp_path: Path) -> None:
    file = tmp_path / "upload"
    file.write_bytes(b"a bundle")
    with pytest.raises(ConfigError, match="not_an_appliance"):
        await bench("update", "install", file=str(file))
    assert file.exists()


@pytest.mark.parametrize("source", ["", "branchbox.bundle", "file:///etc/shadow", "/etc/shadow", "ftp://x/y"])
async def test_only_addresses_are_taken(bench: Bench, source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRANCHBOX_APPLIANCE", "1")
    with pytest.raises(ConfigError, match="no_address"):
        await bench("update", "install", source=source)


@pytest.mark.parametrize(
    "text", ["", "[]", '{"source": 3}', '{"source": "/etc/shadow"}', '{"source": "file:///x"}']
)
def test_root_believes_nothing_else_either(tmp_path: Path, text: str) -> None:
    (tmp_path / "wanted-update.json").write_text(text)
    assert box.requested_update(tmp_path) is None


async def test_an_update_on_a_stick(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is copied to where root looks for it; on a stick, and in its list, it must be."""
    monkeypatch.setattr(on_stick, "sticks", lambda: [tmp_path])
    file = tmp_path / "new.bundle"
    file.write_bytes(b"an update")
    assert [each["file"] for each in await bench("stick", "list")] == [str(file)]
    with pytest.raises(ConfigError, match="not_an_appliance"):
        await bench("update", "install", stick=str(file))
    monkeypatch.setenv("BRANCHBOX_APPLIANCE", "1")
    with pytest.raises(ConfigError, match="not_found"):
        await bench("update", "install", stick="/etc/hostname")
    assert box.read_request(bench.store.folder) is None
    await bench("update", "install", stick=str(file), actor="web:admin")
    assert (bench.store.folder / box.UPLOADED_FILE).read_bytes() == b"an update"
    assert file.exists()
    assert box.requested_update(bench.store.folder) == str(bench.store.folder / box.UPLOADED_FILE)
