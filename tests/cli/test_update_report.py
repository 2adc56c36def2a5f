"""appliance/cli/update_report.py"""

from __future__ import annotations

from appliance.cli.update_report import update_report

UPDATE = {"version": "0.1.0", "offered": "0.2.0", "offered_made_on": "2026-11-30"}
NOTES = {"en": "Faster.\nSafer.", "zh": "更快。"}


def test_notes_stand_below_in_the_readers_language() -> None:
    lines = update_report({**UPDATE, "offered_notes": NOTES}, "en").splitlines()
    assert [line.split() for line in lines[:3]] == [[*each] for each in UPDATE.items()]
    assert lines[-2:] == ["Faster.", "Safer."]
    assert "更快。" in update_report({**UPDATE, "offered_notes": NOTES}, "zh")


def test_without_notes_there_is_the_table_alone() -> None:
    assert "notes" not in update_report({**UPDATE, "offered_notes": {}}, "en")
