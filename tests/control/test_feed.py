"""The counter that pages wait on."""

from __future__ import annotations

import anyio

from appliance.control.feed import Feed


async def test_everybody_who_waits_hears_and_nobody_who_does_not_holds_it_up() -> None:
    feed = Feed()
    heard: list[int] = []

    async def page() -> None:
        seen = await feed.wait(0)
        heard.append(seen)

    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(page)
        await anyio.wait_all_tasks_blocked()
        assert heard == []
        feed.changed()
        feed.changed()
    assert heard == [2, 2, 2]
    assert feed.changes == 2


async def test_who_comes_late_hears_at_once() -> None:
    feed = Feed()
    feed.changed()
    assert await feed.wait(0) == 1
    with anyio.move_on_after(60) as waiting:
        await feed.wait(1)
    assert waiting.cancelled_caught
