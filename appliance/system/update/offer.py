"""What the newest update says of itself: only the beginning of the file is fetched, which is signed like the rest.

So no list of updates is needed beside the updates themselves. An old file that somebody puts in the new one's place offers
nothing; that no newer one comes shows in when one was last seen.
"""

from __future__ import annotations

import io
import re
import ssl
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

from appliance import __version__
from appliance.errors import ConfigError
from appliance.system.update.acceptance import check
from appliance.system.update.bundle import DIGEST_OCTETS, LENGTHS, MAGIC, SIGNATURES_LIMIT, open_bundle
from appliance.system.update.fetch import SILENCE_S
from appliance.system.update.manifest import MANIFEST_LIMIT

if TYPE_CHECKING:
    from appliance.system.update.manifest import Manifest
    from appliance.system.update.site import Site
    from appliance.system.update.state import State

__all__ = ["is_newer", "look", "running_version"]

HEAD_OCTETS = len(MAGIC) + LENGTHS.size + DIGEST_OCTETS + MANIFEST_LIMIT + SIGNATURES_LIMIT
"More than all that can stand before the payload."


def look(url: str, site: Site, state: State) -> Manifest:
    """The manifest of the update behind `url`, if it is for this box. ConfigError with the reason why not."""
    ring = site.ring(state)
    if not ring:
        raise ConfigError("update", "update.no_keys")
    manifest = open_bundle(io.BytesIO(_head(url)), ring).manifest
    if manifest.kind == "image" and site.booted() is not None:
        with site.card() as card:
            check(manifest, site.place("image", state, card))
    else:
        check(manifest, site.place(manifest.kind, state, None))
    return manifest


def running_version(state: State) -> str:
    """What runs: an image that was built anew for Debian's sake has the program of the one before in it."""
    last = state.last
    return last.version if last is not None and last.outcome == "kept" else __version__


def is_newer(version: str, than: str) -> bool:
    """By their numbers: 1.10 is newer than 1.9.3, and 1.9+20261201, a later build, than 1.9. Other words do not count."""
    return _numbers(version) > _numbers(than)


def _numbers(version: str) -> tuple[tuple[int, ...], int]:
    release, _, rest = version.partition("+")
    numbers = re.match(r"[0-9.]*", release)
    counted = [int(each) for each in (numbers[0] if numbers else "").split(".") if each]
    while counted and not counted[-1]:
        counted.pop()
    build = re.match(r"[0-9]{1,16}", rest)
    return tuple(counted), int(build[0]) if build else 0


def _head(url: str) -> bytes:
    # As for the whole: the signature says whom it is from, whoever hands it over.
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    request = urllib.request.Request(url, headers={"Range": f"bytes=0-{HEAD_OCTETS - 1}"})
    try:
        with urllib.request.urlopen(request, timeout=SILENCE_S, context=context) as answer:
            head: bytes = answer.read(HEAD_OCTETS)
            return head
    except (urllib.error.URLError, TimeoutError, ConnectionError, ValueError) as error:
        reason = str(getattr(error, "reason", error))[:200]
        raise ConfigError("update", "update.not_fetched", reason=reason) from None
