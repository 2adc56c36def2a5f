"""What a boot partition has started, as test_power_cuts reads it. Requirements not tested: that the loaders agree (test_update)."""

from __future__ import annotations

import pytest

from tests.image.boot_choice import Files, first_choice, kept_choices
from tests.image.builder import TOP

TEMPLATES = {name: (TOP / "image/slot" / name).read_text() for name in ("entry.conf", "u-boot.env")}


class Folder(Files):
    """A boot partition that is a dictionary."""

    def __init__(self, files: dict[str, str]) -> None:
        self.files = files

    def read(self, name: str) -> bytes | None:
        text = self.files.get(name)
        return None if text is None else text.encode()

    def names(self, folder: str) -> list[str]:
        return [name.removeprefix(f"{folder}/") for name in self.files if name.startswith(f"{folder}/")]


def filled(template: str, slot: str, order: str) -> str:
    number = {"a": 2, "b": 3}[slot]
    text = TEMPLATES[template].replace("@SLOT@", slot).replace("@ROOT@", f"PARTUUID=b0a4cb0c-0{number}")
    return text.replace("@ORDER@", order).replace("@OPTIONS@", "ro").replace("@TRIAL@", "")


@pytest.fixture
def boot() -> Folder:
    return Folder(
        {
            "loader/entries/kept.conf": filled("entry.conf", "a", "branchbox-2-kept"),
            "u-boot/kept.env": filled("u-boot.env", "a", ""),
        }
    )


def test_without_a_trial_the_kept_slot_starts(boot: Folder) -> None:
    assert kept_choices(boot) == {"systemd-boot": "a", "u-boot": "a"}
    assert first_choice(boot) == "a"


@pytest.mark.parametrize(
    ("name", "slot"), [("trial+1.conf", "b"), ("trial+0-1.conf", "a"), ("trial+1.conf.new", "a")]
)
def test_a_trial_starts_as_long_as_it_has_a_try(boot: Folder, name: str, slot: str) -> None:
    boot.files[f"loader/entries/{name}"] = filled("entry.conf", "b", "branchbox-1-trial")
    assert first_choice(boot) == slot


def test_an_entry_that_names_no_kernel_is_passed_over(boot: Folder) -> None:
    boot.files["loader/entries/trial+1.conf"] = ""
    assert first_choice(boot) == "a"


def test_u_boot_takes_the_second_of_a_rename(boot: Folder) -> None:
    boot.files["u-boot/kept.env.new"] = filled("u-boot.env", "b", "")
    assert kept_choices(boot)["u-boot"] == "a"
    boot.files["u-boot/kept.env"] = ""
    assert kept_choices(boot)["u-boot"] == "b"


@pytest.mark.parametrize("name", ["loader/entries/kept.conf", "u-boot/kept.env"])
def test_a_file_that_is_cut_short_starts_nothing(boot: Folder, name: str) -> None:
    boot.files[name] = boot.files[name][:-1]
    with pytest.raises(AssertionError, match="no slot to start"):
        kept_choices(boot)


def test_a_root_that_is_not_the_slot_s_starts_nothing(boot: Folder) -> None:
    name = "loader/entries/kept.conf"
    boot.files[name] = boot.files[name].replace("b0a4cb0c-02", "b0a4cb0c-03")
    with pytest.raises(AssertionError, match="half an entry"):
        first_choice(boot)
