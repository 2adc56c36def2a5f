"""Pictures of every page, to be looked at: `python -m tests.browser.pictures FOLDER`.

Wide in the light and in the dark, as narrow as a telephone, and in Chinese.
"""

from __future__ import annotations

import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from appliance.system.certificates import ensure_certificate
from tests.browser.driver import Browser
from tests.webui.fake_control import FakeControl
from tests.webui.fake_outside import described
from tests.webui.fake_services import whole_office
from webui.server import ConsoleServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.webui.fake_control import JSON

__all__ = ["enter", "served"]

PAGES = {
    "overview": "/",
    "extensions": "/extensions",
    "extension-add": "/extensions/add",
    "extension-edit": "/extensions/101/edit",
    "extension-remove": "/extensions/101/remove",
    "many": "/extensions/many",
    "registrations": "/registrations",
    "outside": "/outside",
    "line-add": "/outside/lines/add",
    "line-edit": "/outside/lines/carrier/edit",
    "route-edit": "/outside/routes/world/edit",
    "outside-test": "/outside/test?number=913800001234&from=101",
    "features": "/features",
    "codes": "/features/codes",
    "code": "/features/codes/park/edit",
    "forwarding": "/features/forwarding",
    "forwarding-edit": "/features/forwarding/102/edit",
    "forwarding-notice": "/features/forwarding-notice",
    "do-not-disturb": "/features/do-not-disturb",
    "do-not-disturb-edit": "/features/do-not-disturb/101/edit",
    "anonymous-rejection": "/features/anonymous-rejection",
    "phones": "/features/phones",
    "phones-edit": "/features/phones/101/edit",
    "groups": "/features/groups",
    "group": "/features/groups/600/edit",
    "group-remove": "/features/groups/600/remove",
    "time-conditions": "/features/time-conditions",
    "time-condition": "/features/time-conditions/700/edit",
    "night-mode": "/features/night-mode",
    "park": "/features/park",
    "attendants": "/features/attendants",
    "attendant": "/features/attendants/500/edit",
    "attendant-add": "/features/attendants/add",
    "calls": "/calls",
    "records": "/records",
    "record": "/records/8",
    "system": "/system",
    "dns-check": "/system/dns-check",
    "about": "/about",
    "missing": "/nowhere",
}
LOOKS: dict[str, JSON] = {
    "light": {"width": 1280, "height": 800},
    "dark": {"width": 1280, "height": 800, "dark": True},
    "phone": {"width": 390, "height": 800, "scale": 2.0},
}


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    with served() as urls:
        for language in ("en", "zh"):
            with Browser(language) as browser:
                _take(browser, *urls, folder, language)


@contextmanager
def served() -> Iterator[tuple[str, str]]:
    """The addresses of two consoles: of an office at work, and of a box that nobody has set up."""
    with tempfile.TemporaryDirectory() as certs:
        made = ensure_certificate(Path(certs) / "certs", "localhost", ("127.0.0.1",))
        servers = [
            ConsoleServer(("127.0.0.1", 0), made.certificate, made.key, each, describe=described)
            for each in (whole_office(time_zone="Europe/Berlin"), FakeControl())
        ]
        for server in servers:
            server.start()
        try:
            used, new = ("https://127.0.0.1:{1}".format(*server.address) for server in servers)
            yield used, new
        finally:
            for server in servers:
                server.stop()


def enter(browser: Browser, url: str) -> None:
    """Log in to the office's console."""
    browser.go(f"{url}/log-in")
    browser.fill(password="correct horse battery")
    browser.press("form button")


def _take(browser: Browser, used: str, new: str, folder: Path, language: str) -> None:
    looks = LOOKS if language == "en" else {"light": LOOKS["light"], "phone": LOOKS["phone"]}
    _each(browser, looks, folder, f"{language}-set-up", f"{new}/set-up")
    _each(browser, looks, folder, f"{language}-log-in", f"{used}/log-in")
    enter(browser, used)
    for name, path in PAGES.items():
        _each(browser, looks, folder, f"{language}-{name}", used + path)
    browser.look(**LOOKS["light"])
    browser.go(used + "/extensions/many")
    browser.fill(
        first="201" if language == "en" else "301", count="6", name="Room" if language == "en" else "房间"
    )
    browser.press("main form .actions button")
    _each(browser, looks, folder, f"{language}-sheet", used + "/extensions/sheet")
    for complaint in browser.complaints():
        sys.stdout.write(f"{complaint}\n")


def _each(browser: Browser, looks: dict[str, JSON], folder: Path, name: str, url: str) -> None:
    for look, size in looks.items():
        browser.look(**size)
        browser.go(url)
        tall = int(browser.run("return document.documentElement.scrollHeight"))
        browser.look(**{**size, "height": max(tall, size["height"])})
        browser.picture(folder / f"{name}-{look}.png")


if __name__ == "__main__":
    main()
