"""The pictures of services that the documents show: `python -m tests.browser.documented docs/screenshots`.

WebP, as the browser itself makes it: a tenth of what a PNG of the same page takes.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.browser.driver import Browser
from tests.browser.pictures import enter, served

if TYPE_CHECKING:
    from tests.webui.fake_control import JSON

__all__ = ["PICTURES"]

WIDE: JSON = {"width": 1120, "height": 700}
PHONE: JSON = {"width": 390, "height": 760, "scale": 1.5}

PICTURES: dict[str, dict[str, tuple[str, str]]] = {
    "en": {
        "features": ("/features", ""),
        "codes": ("/features/codes", ""),
        "forwarding": ("/features/forwarding/102/edit", ""),
        "forwarding-list": ("/features/forwarding", ""),
        "music": ("/system", "#music, #call-tones"),
        "transfer": ("/features", "#feature-transfer, #feature-transfer-by-keys"),
        "park": ("/features", "#feature-park"),
        "park-settings": ("/features/park", ""),
        "pick-up": ("/features", "#feature-pick-up"),
        "groups": ("/features/groups", ""),
        "group": ("/features/groups/600/edit", ""),
        "time-condition": ("/features/time-conditions/700/edit", ""),
        "night-mode": ("/features/night-mode", ""),
        "extensions": ("/extensions", ""),
        "phones": ("/features/phones/101/edit", ""),
        "registrations": ("/registrations", ""),
        "do-not-disturb": ("/features/do-not-disturb", ""),
        "attendant": ("/features/attendants/500/edit", ""),
        "calls": ("/calls", ""),
    },
    "zh": {
        "features-zh": ("/features", ""),
        "group-zh": ("/features/groups/601/edit", ""),
        "park-zh": ("/features", "#feature-park"),
        "time-condition-phone-zh": ("/features/time-conditions/700/edit", ""),
        "calls-phone-zh": ("/calls", ""),
    },
}
"""By language and name: the page, and which parts of it; empty: all of it."""


def main() -> None:
    folder = Path(sys.argv[1])
    with served() as (used, _):
        for language, pictures in PICTURES.items():
            with Browser(language) as browser:
                browser.look(**WIDE)
                enter(browser, used)
                for name, (path, parts) in pictures.items():
                    _take(browser, folder / f"{name}.webp", used + path, parts)


def _take(browser: Browser, file: Path, url: str, parts: str) -> None:
    size = PHONE if "-phone" in file.name else WIDE
    browser.look(**size)
    browser.go(url)
    tall = int(browser.run("return document.documentElement.scrollHeight"))
    browser.look(**{**size, "height": max(tall, size["height"])})
    browser.picture(file, parts=parts)


if __name__ == "__main__":
    main()
