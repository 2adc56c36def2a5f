"""An update from file to trial on a box in a folder: all is checked before anything is touched."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import msgspec
import pytest

from appliance.errors import ConfigError
from appliance.system.update.site import Site
from appliance.system.update.state import State
from appliance.system.update.updater import examine, only_one
from tests.system.update.box import BEFORE, MACHINE, ROOT_SIZE, FakeBox
from tests.system.update.power import power
from tests.system.update.workshop import BOOT_FILES, Workshop, alter_at_random, boot_archive

ALTERED = 1000
STEPS_AT_MOST = 200


@pytest.fixture
def box(tmp_path: Path, workshop: Workshop) -> FakeBox:
    box = FakeBox(tmp_path / "box", workshop)
    box.remember(State(security_level=2))
    return box


def test_an_application_waits_for_the_next_start(box: FakeBox, workshop: Workshop) -> None:
    trial = box.update(workshop.application(target=MACHINE, new_keys=(workshop.public("second"),)))
    assert box.site.programs().links().next == trial.name
    assert box.state.trial == trial
    assert (trial.kind, trial.version, trial.before) == ("application", "0.2.0", BEFORE)
    assert box.state.keys == (), "what it brings counts when it is kept"


def test_an_image_waits_in_the_other_slot(box: FakeBox, workshop: Workshop) -> None:
    trial = box.update(workshop.image(root=b"the new root"))
    assert (trial.kind, trial.name) == ("image", "b")
    card = box.card()
    assert card.kept() == "a"
    assert card.roots["b"].read_bytes().startswith(b"the new root")
    entry = (card.boot / "loader/entries/trial+1.conf").read_text()
    assert "linux /b/vmlinuz" in entry
    assert "slot=b\n" in (card.boot / "u-boot/trial.env").read_text()
    assert (card.boot / "u-boot/tries").read_bytes() == b"1"


def test_releases_over_what_is_written_over_go(box: FakeBox, workshop: Workshop) -> None:
    box.update(workshop.application(target=MACHINE))
    box.remember(State())
    older = box.site.releases / "0.0.9"
    (older / "0.0.9-x").mkdir(parents=True)
    box.update(workshop.image())
    assert not older.exists()
    assert box.site.programs().links().next is not None, "those over what runs stay"


def test_checking_changes_nothing(box: FakeBox, workshop: Workshop) -> None:
    before = box.contents()
    for path in (workshop.application(target=MACHINE), workshop.image()):
        with path.open("rb") as file:
            examine(file, box.site)
    assert box.contents() == before


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("application", {"target": "riscv64"}, "wrong_target"),
    ("application", {"target": MACHINE, "security_level": 1}, "downgrade"),
    ("application", {"target": MACHINE, "signed_by": ("third",)}, "unknown_signer"),
    ("image", {"target": "arm64-other"}, "wrong_target"),
    ("image", {"security_level": 1}, "downgrade"),
    ("image", {"root": b"x" * (ROOT_SIZE + 1)}, "no_room"),
    ("image", {"boot": boot_archive({**BOOT_FILES, "../../etc/passwd": b"x"})}, "bad_boot"),
]


@pytest.mark.parametrize(("kind", "fields", "key"), REFUSED, ids=[each[2] for each in REFUSED])
def test_what_is_refused_changes_nothing(
    box: FakeBox, workshop: Workshop, kind: str, fields: dict[str, Any], key: str
) -> None:
    path = workshop.image(**fields) if kind == "image" else workshop.application(**fields)
    before = box.contents()
    with pytest.raises(ConfigError, match=key):
        box.update(path)
    assert box.contents() == before


@pytest.mark.parametrize("kind", ["application", "image"])
def test_a_thousand_altered_updates_are_refused_and_nothing_is_written(
    box: FakeBox, workshop: Workshop, kind: str
) -> None:
    """Bits flipped, octets changed, cut, longer, parts changed about: none passes, though one known key suffices."""
    both = ("first", "second")
    path = (
        workshop.image(root=b"R" * 300 + b"r", signed_by=both)
        if kind == "image"
        else workshop.application(program=b"#!" + b"P" * 300, target=MACHINE, signed_by=both)
    )
    whole = path.read_bytes()
    payload = sum(each.stat().st_size for each in workshop.folder.glob(f"{path.name}.*"))
    seed = random.randrange(2**32)
    chance = random.Random(seed)
    before = box.contents()
    accepted = []
    for number in range(ALTERED // 2):
        altered = alter_at_random(whole, payload, chance)
        path.write_bytes(altered)
        if altered != whole and _passes(box, path):
            accepted.append(number)
    assert accepted == [], f"seed {seed}"
    assert box.contents() == before
    path.write_bytes(whole)
    assert box.update(path).version == "0.2.0", "what was not altered is taken"


def _passes(box: FakeBox, path: Path) -> bool:
    try:
        box.update(path)
    except ConfigError:
        return False
    return True


@pytest.mark.parametrize("kind", ["application", "image"])
def test_another_is_refused_while_one_is_on_trial(box: FakeBox, workshop: Workshop, kind: str) -> None:
    path = workshop.image() if kind == "image" else workshop.application(target=MACHINE)
    box.update(path)
    with pytest.raises(ConfigError, match="on_trial"):
        box.update(path)
    box.remember(State())
    box.start("b", trial=True)
    with pytest.raises(ConfigError, match="on_trial"):
        box.update(path)


def test_an_image_is_refused_when_another_slot_runs_than_is_kept(box: FakeBox, workshop: Workshop) -> None:
    box.start("b")
    with pytest.raises(ConfigError, match="on_trial"):
        box.update(workshop.image())


def test_a_host_that_is_no_card_takes_applications_only(tmp_path: Path, workshop: Workshop) -> None:
    box = FakeBox(tmp_path / "host", workshop, card=False)
    with pytest.raises(ConfigError, match="no_card_here"):
        box.update(workshop.image())
    assert box.update(workshop.application(target=MACHINE)).kind == "application"


def test_a_board_that_cannot_try_a_slot_once_takes_no_image(box: FakeBox, workshop: Workshop) -> None:
    (box.root / "sys/firmware/efi").rmdir()
    with pytest.raises(ConfigError, match="no_trial_here"):
        box.update(workshop.image())
    (box.root / "proc/cmdline").write_text("root=x branchbox.slot=a branchbox.loader=u-boot\n")
    assert box.update(workshop.image()).name == "b"


def test_where_nothing_is_installed_nothing_is_updated(tmp_path: Path, workshop: Workshop) -> None:
    site = Site(tmp_path / "no-base", tmp_path / "releases", tmp_path)
    with workshop.application().open("rb") as file, pytest.raises(ConfigError, match="not_installed"):
        examine(file, site)


def test_a_box_without_keys_takes_nothing(box: FakeBox, workshop: Workshop) -> None:
    (box.site.base / "update-keys.json").unlink()
    with pytest.raises(ConfigError, match="no_keys"):
        box.update(workshop.application(target=MACHINE))


def test_keys_roll_over(box: FakeBox, workshop: Workshop) -> None:
    box.remember(State(keys=(workshop.public("second"),), revoked=("first",)))
    with pytest.raises(ConfigError, match="unknown_signer"):
        box.update(workshop.application(target=MACHINE, signed_by=("first",)))
    assert box.update(workshop.application(target=MACHINE, signed_by=("second",))).version == "0.2.0"


def test_an_administrator_may_add_keys_of_their_own(box: FakeBox, workshop: Workshop) -> None:
    (box.root / "etc/branchbox").mkdir(parents=True)
    (box.root / "etc/branchbox/update-keys.json").write_bytes(msgspec.json.encode([workshop.public("third")]))
    assert box.update(workshop.application(target=MACHINE, signed_by=("third",))).version == "0.2.0"


def test_one_at_a_time(box: FakeBox) -> None:
    with only_one(box.site), pytest.raises(ConfigError, match="busy"), only_one(box.site):
        pass
    with only_one(box.site):
        pass


@pytest.mark.parametrize("kind", ["application", "image"])
def test_after_a_power_cut_at_any_step_the_same_update_can_be_taken_again(
    tmp_path: Path, workshop: Workshop, kind: str
) -> None:
    path = workshop.image() if kind == "image" else workshop.application(target=MACHINE)
    for last in range(STEPS_AT_MOST):
        box = FakeBox(tmp_path / f"cut-{last}", workshop)
        with power(box.root, last) as source:
            box.update(path)
        # Whatever was staged goes, as the health check at the next start has it when it did not run.
        box.remember(msgspec.structs.replace(box.state, trial=None))
        assert box.update(path).version == "0.2.0"
        if source.steps < last:
            break
    else:
        pytest.fail("more steps than this test looks at")
