"""An update that is what it says may still not be for this box."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from appliance.errors import ConfigError
from appliance.system.update.acceptance import Place, check
from appliance.system.update.bundle import open_bundle
from appliance.system.update.manifest import Manifest
from tests.system.update.workshop import HERE, Workshop


def manifest(workshop: Workshop, path: Path) -> Manifest:
    with path.open("rb") as file:
        return open_bundle(file, workshop.ring()).manifest


def test_what_fits_is_taken(workshop: Workshop) -> None:
    check(manifest(workshop, workshop.application()), HERE)
    check(manifest(workshop, workshop.image()), HERE)
    check(manifest(workshop, workshop.application(security_level=9)), HERE)


@pytest.mark.parametrize(
    ("place", "key"),
    [
        (replace(HERE, machine="x86_64"), "update.wrong_target"),
        (replace(HERE, security_level=3), "update.downgrade"),
        (replace(HERE, room={"executable": 5}), "update.no_room"),
    ],
)
def test_an_application_that_does_not_fit(workshop: Workshop, place: Place, key: str) -> None:
    with pytest.raises(ConfigError, match=key):
        check(manifest(workshop, workshop.application()), place)


@pytest.mark.parametrize(
    ("place", "key"),
    [
        (replace(HERE, card=None), "update.no_card_here"),
        (replace(HERE, card="riscv-card"), "update.wrong_target"),
        (replace(HERE, room={"root": 599}), "update.no_room"),
    ],
)
def test_an_image_that_does_not_fit(workshop: Workshop, place: Place, key: str) -> None:
    with pytest.raises(ConfigError, match=key):
        check(manifest(workshop, workshop.image()), place)
