"""A headless Chromium for tests, steered through chromedriver with the standard library alone.

W3C WebDriver, and Chromium's own commands for emulation, logs and pictures. The test certificate is accepted in this
browser only, by a switch of its own session; its profile is a new empty folder.
"""

from __future__ import annotations

import base64
import json
import shutil
import socket
import subprocess
import tempfile
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep
from typing import Any, Self

__all__ = ["Browser", "Element", "available"]

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
"The key that the standard gives to references of elements."

SWITCHES = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
)

COVERS = """\
const boxes = [...document.querySelectorAll(arguments[0])].map(each => each.getBoundingClientRect());
const left = Math.min(...boxes.map(each => each.left)), top = Math.min(...boxes.map(each => each.top));
const right = Math.max(...boxes.map(each => each.right)), bottom = Math.max(...boxes.map(each => each.bottom));
return {x: left - 12, y: top - 12, width: right - left + 24, height: bottom - top + 24};
"""
"The rectangle around all that a selector matches, with a margin, in CSS pixels."

PATIENCE_S = 20.0
"How long a condition may take on a busy machine before the test fails."


def available() -> bool:
    """Whether Chromium and its driver are installed."""
    return bool(shutil.which("chromium") and shutil.which("chromedriver"))


class Element:
    """One element of the open page."""

    def __init__(self, browser: Browser, reference: str) -> None:
        self._browser = browser
        self._path = f"/element/{reference}"

    def click(self) -> None:
        self._browser.command("POST", self._path + "/click", {})

    def type(self, text: str) -> None:
        """Replace what stands in a field."""
        self._browser.command("POST", self._path + "/clear", {})
        self._browser.command("POST", self._path + "/value", {"text": text})

    @property
    def text(self) -> str:
        return str(self._browser.command("GET", self._path + "/text"))

    def value(self) -> str:
        return str(self._browser.command("GET", self._path + "/property/value"))


class Browser:
    """One window. Use it as a context manager: driver and browser end with it, also when a test fails."""

    def __init__(self, language: str = "en") -> None:
        self._folder = tempfile.mkdtemp(prefix="branchbox-browser-")
        self._port = _free_port()
        self._driver = subprocess.Popen(
            ["chromedriver", f"--port={self._port}", "--silent"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._session = ""
        try:
            self._wait_for_driver()
            self._open(language)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        with suppress(OSError):
            if self._session:
                self.command("DELETE", "")
        self._driver.terminate()
        self._driver.wait(timeout=PATIENCE_S)
        shutil.rmtree(self._folder, ignore_errors=True)

    # what a person does

    def go(self, url: str) -> None:
        self.command("POST", "/url", {"url": url})

    @property
    def url(self) -> str:
        return str(self.command("GET", "/url"))

    def find(self, selector: str) -> Element:
        """The first element that matches, as soon as there is one."""
        found: Any = self.until(lambda: self._references(selector))
        return Element(self, found[0])

    def fill(self, **fields: str) -> None:
        """Type into the fields of those names."""
        for name, text in fields.items():
            self.find(f"[name={name}]").type(text)

    def press(self, selector: str) -> None:
        """Click something that leads to another page, and wait until that page is there."""
        self.run("window.leaving = true")
        self.find(selector).click()
        self.until(lambda: self.run("return !window.leaving && document.readyState === 'complete'"))

    def text(self, selector: str = "body") -> str:
        """What the first element that matches shows: asked in one go, for a page that is live may replace it any moment."""
        script = "const found = document.querySelector(arguments[0]); return found && [found.innerText];"
        return str(self.until(lambda: self.run(script, selector))[0]).strip()

    # what a test does

    def until(self, condition: Any) -> Any:
        """Ask until the answer is true."""
        end = monotonic() + PATIENCE_S
        while True:
            answer = condition()
            if answer:
                return answer
            if monotonic() > end:
                msg = f"waited in vain at {self.url}: {self.run('return document.body.innerText')}"
                raise AssertionError(msg)
            sleep(0.05)

    def run(self, script: str, *arguments: Any) -> Any:
        return self.command("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def complaints(self) -> list[str]:
        """What the browser wrote to its console since last asked: errors, refused scripts, violations of the CSP."""
        entries = self.command("POST", "/se/log", {"type": "browser"})
        return [each["message"] for each in entries if each["level"] in {"WARNING", "SEVERE"}]

    def look(self, *, width: int, height: int, dark: bool = False, scale: float = 1.0) -> None:
        """Be a window of that size (CSS pixels), in the light or in the dark."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": width < 600}
        self.devtools("Emulation.setDeviceMetricsOverride", metrics)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.devtools("Emulation.setEmulatedMedia", {"features": [scheme]})

    def picture(self, file: Path, *, whole: bool = False, parts: str = "") -> None:
        """Save what is to be seen, as PNG or, when the file is called so, WebP. `parts`: only what these selectors cover."""
        asked: dict[str, Any] = {"format": "png", "captureBeyondViewport": whole}
        if file.suffix == ".webp":
            asked |= {"format": "webp", "quality": 75}
        if parts:
            asked["clip"] = {**self.run(COVERS, parts), "scale": 1}
        taken = self.devtools("Page.captureScreenshot", asked)
        file.write_bytes(base64.b64decode(taken["data"]))

    def devtools(self, method: str, parameters: dict[str, Any]) -> Any:
        return self.command("POST", "/goog/cdp/execute", {"cmd": method, "params": parameters})

    def command(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        return self._call(method, f"/session/{self._session}{path}", body)

    def _references(self, selector: str) -> list[str]:
        found = self.command("POST", "/elements", {"using": "css selector", "value": selector})
        return [each[ELEMENT] for each in found]

    def _open(self, language: str) -> None:
        options = {
            "args": [*SWITCHES, f"--user-data-dir={self._folder}", f"--accept-lang={language}"],
            "prefs": {"intl.accept_languages": language},
        }
        wanted = {
            "browserName": "chrome",
            "acceptInsecureCerts": True,
            "unhandledPromptBehavior": "accept",
            "goog:loggingPrefs": {"browser": "ALL"},
            "goog:chromeOptions": options,
        }
        made = self._call("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
        self._session = made["sessionId"]

    def _wait_for_driver(self) -> None:
        end = monotonic() + PATIENCE_S
        while True:
            try:
                if self._call("GET", "/status")["ready"]:
                    return
            except OSError:
                if monotonic() > end or self._driver.poll() is not None:
                    raise
            sleep(0.05)

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self._port}{path}", data, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return json.load(response)["value"]
        except urllib.error.HTTPError as error:
            with error:
                told = json.load(error)["value"]
            msg = f"{told['error']}: {told['message'].splitlines()[0]}"
            raise AssertionError(msg) from error


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
