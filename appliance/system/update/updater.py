"""One update from the file to its trial: all is checked first, then the slot that is not in use is written."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

import msgspec

from appliance.errors import ConfigError
from appliance.system.update import durable
from appliance.system.update.acceptance import check
from appliance.system.update.boot_part import check_boot
from appliance.system.update.bundle import open_bundle
from appliance.system.update.card import other
from appliance.system.update.state import Trial, read_state, write_state

if TYPE_CHECKING:
    from collections.abc import Iterator

    from appliance.system.update.bundle import Bundle
    from appliance.system.update.site import Site
    from appliance.system.update.state import Before

__all__ = ["examine", "install", "only_one"]


def examine(file: BinaryIO, site: Site) -> Bundle:
    """Everything that can be known about an update before anything is touched. ConfigError with the reason."""
    site.programs()  # there is something here that can be updated
    state = read_state(site.releases)
    # Whatever is on trial has first to prove itself or go: it may be the slot that would be written over.
    if state.trial is not None or site.is_trial:
        raise ConfigError("update", "update.on_trial")
    ring = site.ring(state)
    if not ring:
        raise ConfigError("update", "update.no_keys")
    bundle = open_bundle(file, ring)
    if bundle.manifest.kind == "image" and site.booted() is not None:
        with site.card() as card:
            check(bundle.manifest, site.place("image", state, card))
            if card.kept() != site.booted():
                raise ConfigError("update", "update.on_trial")
        check_boot(bundle)
    else:
        check(bundle.manifest, site.place(bundle.manifest.kind, state, None))
    bundle.prove()
    return bundle


def install(bundle: Bundle, site: Site, before: Before) -> Trial:
    """Write what was examined beside what runs, and have it tried at the next start. ConfigError, OSError."""
    match bundle.manifest.kind:
        case "application":
            programs = site.programs()
            name = programs.add(bundle)
            trial = Trial.of(bundle.manifest, name, before)
            _remember(site, trial)
            programs.stage(name)
        case "image":
            booted = site.booted()
            if booted is None:
                raise ConfigError("update", "update.no_card_here")
            slot = other(booted)
            trial = Trial.of(bundle.manifest, slot, before)
            with site.card() as card:
                card.write(slot, bundle)
                site.programs().forget_other_bases()
                _remember(site, trial)
                card.stage(slot)
    return trial


def _remember(site: Site, trial: Trial) -> None:
    state = read_state(site.releases)
    write_state(site.releases, msgspec.structs.replace(state, trial=trial, refused=None))


@contextmanager
def only_one(site: Site) -> Iterator[None]:
    """No two updates at a time. ConfigError when another is under way; the kernel lets go when a process ends."""
    durable.make_folder(site.releases)
    descriptor = os.open(site.releases / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigError("update", "update.busy") from None
        yield
    finally:
        os.close(descriptor)
