"""appliance/service/wishes.py: the latest wish is written, also once the disk takes it again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import pytest

from appliance.config.network import NetworkSettings
from appliance.config.system import System
from appliance.errors import ConfigError
from appliance.service import wishes as module
from appliance.service.wishes import Wishes
from appliance.system.probation import Trial
from appliance.system.wanted import Wanted, read_wanted, write_wanted

if TYPE_CHECKING:
    from pathlib import Path

STATIC = System(
    host_name="box", network="static", address="192.0.2.5", gateway="192.0.2.1", dns=("192.0.2.2",)
)


async def written(folder: Path, wishes: Wishes) -> Wanted | None:
    """What lies there once the wish is written."""
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wishes.run)
        while (wanted := read_wanted(folder)) is None:  # noqa: ASYNC110  # a file tells nobody; time is virtual
            await anyio.sleep(1)
        tasks.cancel_scope.cancel()
    return wanted


async def test_a_static_network_is_wanted_as_it_was_set(tmp_path: Path) -> None:
    wishes = Wishes(tmp_path)
    wishes.want(System(host_name="too-early"))
    wishes.want(STATIC)
    network = NetworkSettings(network="static", address="192.0.2.5", gateway="192.0.2.1", dns=("192.0.2.2",))
    assert await written(tmp_path, wishes) == Wanted("box", "UTC", network)


async def test_dhcp_needs_no_network(tmp_path: Path) -> None:
    wishes = Wishes(tmp_path)
    wishes.want(System(host_name="box", time_zone="Asia/Shanghai"))
    assert await written(tmp_path, wishes) == Wanted("box", "Asia/Shanghai")


async def test_a_full_disk_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[Wanted] = []

    def write(folder: Path, wanted: Wanted) -> bool:
        tries.append(wanted)
        if len(tries) == 1:
            raise OSError(28, "No space left on device")
        return write_wanted(folder, wanted)

    monkeypatch.setattr(module, "write_wanted", write)
    wishes = Wishes(tmp_path)
    wishes.want(STATIC)
    before = anyio.current_time()
    await written(tmp_path, wishes)
    assert len(tries) == 2
    assert anyio.current_time() - before >= module.RETRY_S


def test_what_root_would_refuse_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"system\.host_name"):
        Wishes(tmp_path).want(System(host_name="not a name"))


async def test_a_trial_stands_beside_what_was_confirmed(tmp_path: Path) -> None:
    wishes = Wishes(tmp_path)
    wishes.want(System())
    network = NetworkSettings(vlan=7)
    wishes.try_out(Trial(network, 1000.0, "0a"))
    wanted = await written(tmp_path, wishes)
    assert wanted is not None
    assert (wanted.network, wanted.trial and wanted.trial.network) == (NetworkSettings(), network)
    wishes.try_out(None)
    (tmp_path / "system.json").unlink()
    wanted = await written(tmp_path, wishes)
    assert wanted is not None
    assert wanted.trial is None


async def test_the_passphrase_is_for_root_and_the_service_alone(tmp_path: Path) -> None:
    wishes = Wishes(tmp_path)
    wishes.want(System(wifi_ssid="office", wifi_password="correct horse"))
    await written(tmp_path, wishes)
    assert (tmp_path / "system.json").stat().st_mode & 0o777 == 0o600
