"""The data folder as a whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.errors import ConfigError
from appliance.store import bindings
from appliance.store.store import Store
from tests.store.test_bindings import row


async def test_a_second_start_on_the_same_folder_is_refused(store: Store) -> None:
    with pytest.raises(ConfigError) as refused:
        await Store.open(store.folder)
    assert refused.value.key == "error.folder_in_use"


async def test_a_refused_database_lets_go_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "branchbox.db").write_bytes(b"nonsense " * 1000)
    for _ in range(2):
        with pytest.raises(ConfigError) as refused:
            await Store.open(tmp_path)
        assert refused.value.key == "error.database_damaged"


async def test_bindings_are_saved_in_the_background(store: Store) -> None:
    store.save_bindings("101", iter([row("101", "<sip:a@192.0.2.9>")]))
    assert await store.backlog.drain()
    assert await store.run(bindings.load) == [row("101", "<sip:a@192.0.2.9>")]
