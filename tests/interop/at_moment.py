"""`branchbox` as tests start it whose services see another clock on the wall: `at_moment 2026-10-25T00:30+00:00 run ...`.

Only what asks for the local time sees it. The clock of the machine, and with it certificates and records, stays as it is.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime, tzinfo
from unittest import mock

from appliance.main import main
from appliance.service import amenities, run_command
from tests.interop.watched import Watch

BEGAN = datetime.now(UTC)


class Shifted(datetime):
    """`datetime` whose clock stood at that moment when the process began."""

    moment = BEGAN

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Shifted:
        now = cls.moment + (datetime.now(UTC) - BEGAN)
        return cls.fromtimestamp(now.timestamp(), tz)


if __name__ == "__main__":
    Shifted.moment = datetime.fromisoformat(sys.argv[1])
    with mock.patch.object(run_command, "Notifier", Watch), mock.patch.object(amenities, "datetime", Shifted):
        sys.exit(main(sys.argv[2:]))
