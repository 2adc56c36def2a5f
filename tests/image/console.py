"""A person at the web console, and a program at its API: log in, make a token, ask."""

from __future__ import annotations

import html
import http.client
import json
import re
import ssl
import time
import urllib.parse
import urllib.request
from http.cookiejar import CookieJar
from typing import Any

__all__ = ["Console"]

ANSWER_SECONDS = 60.0
"Hashing a password with Argon2 takes seconds in software emulation."


class Console:
    """The box's own certificate is taken as it is, as a person does on the first visit."""

    def __init__(self, port: int) -> None:
        self._base = f"https://127.0.0.1:{port}"
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}),
            urllib.request.HTTPSHandler(context=context),
            urllib.request.HTTPCookieProcessor(CookieJar()),
        )
        self.token = ""

    def wait(self, seconds: float) -> None:
        """Until the console answers at all: telephony comes first when the box starts."""
        give_up = time.monotonic() + seconds
        while True:
            try:
                assert self._open(urllib.request.Request(self._base + "/healthz")) == "ok\n"
            except (OSError, http.client.HTTPException) as error:
                assert time.monotonic() < give_up, f"no console within {seconds} s: {error!r}"
                time.sleep(0.5)
            else:
                return

    def wait_restart(self, uptime: float, seconds: float) -> None:
        """Until an exchange answers that is younger than `uptime` seconds."""
        give_up = time.monotonic() + seconds
        while True:
            try:
                if self.api("GET", "status")["uptime"] < uptime:
                    return
            except (OSError, http.client.HTTPException):
                pass  # between the two
            assert time.monotonic() < give_up, f"no restart within {seconds} s"
            time.sleep(0.5)

    def log_in(self, password: str) -> None:
        """As the administrator; AssertionError when refused."""
        page = self._post_form("/log-in", "/log-in", password=password)
        assert 'action="/log-out"' in page, page[:2000]

    def make_token(self, name: str) -> None:
        """A token for the API, as a person makes one for a program."""
        page = self._post_form("/system", "/system/tokens", name=name)
        found = re.search(r'id="new-token">([^<]+)<', page)
        assert found, page[:2000]
        self.token = html.unescape(found[1])

    def api(self, method: str, path: str, **values: Any) -> Any:
        """One request to the JSON API with the token."""
        request = urllib.request.Request(f"{self._base}/api/v1/{path}", method=method)
        request.add_header("Authorization", f"Bearer {self.token}")
        if values:
            request.data = json.dumps(values).encode()
            request.add_header("Content-Type", "application/json")
        return json.loads(self._open(request))

    def _post_form(self, page: str, action: str, **fields: str) -> str:
        form = self._open(urllib.request.Request(self._base + page))
        found = re.search(r'name="csrf" value="([^"]+)"', form)
        assert found, form[:2000]
        body = urllib.parse.urlencode({**fields, "csrf": html.unescape(found[1])}).encode()
        request = urllib.request.Request(self._base + action, data=body, headers={"Origin": self._base})
        return self._open(request)

    def _open(self, request: urllib.request.Request) -> str:
        with self._opener.open(request, timeout=ANSWER_SECONDS) as answer:
            text: str = answer.read().decode()
            return text
