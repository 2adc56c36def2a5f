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

from appliance.errors import ConfigError
from appliance.system.update.acceptance import check
from appliance.system.update.bundle import DIGEST_OCTETS, LENGTHS, MAGIC, SIGNATURES_LIMIT, open_bundle
from appliance.system.update.fetch import SILENCE_S
from appliance.system.update.manifest import MANIFEST_LIMIT

if TYPE_CHECKING:
    from appliance.system.update.manifest import Manifest
    from appliance.system.update.site import Site
    from appliance.system.update.state import State

__all__ = ["is_newer", "look"]

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


def is_newer(version: str, than: str) -> bool:
    """By their numbers: 1.10 is newer than 1.9.3. What stands behind the numbers does not count."""
    return _numbers(version) > _numbers(than)


def _numbers(version: str) -> tuple[int, ...]:
    numbers = re.match(r"[0-9.]*", version)
    return tuple(int(each) for each in (numbers[0] if numbers else "").split(".") if each)


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
