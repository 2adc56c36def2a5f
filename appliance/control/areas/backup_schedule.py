"""Area `backup-schedule`: when backups are made by themselves, and what became of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from appliance.config import backup_schedule
from appliance.control.areas.keyed import KeyedArea
from appliance.control.parts import moment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from appliance.config.backup_schedule import BackupSchedule
    from appliance.control.parts import Parts

__all__ = ["AREA"]


def _live(parts: Parts, schedule: BackupSchedule) -> Mapping[str, Any]:
    state = parts.schedule.state
    return {
        "sealed": bool(schedule.passphrase),
        "last_good_at": moment(state.last_good_at),
        "last_file": state.last_file,
        "next_at": moment(parts.schedule.next_at()),
        "problem": state.problem,
        "problem_params": state.problem_params,
    }


AREA = KeyedArea(backup_schedule.AREA, "Backups that are made by themselves", live=_live).area()
