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
import uuid
from http.cookiejar import CookieJar
from typing import Any

__all__ = ["Console"]

ANSWER_SECONDS = 60.0
"Hashing a password with Argon2 takes seconds in software emulation."


class Console:
    """The box's own certificate is taken as it is, as a person does on the first visit."""

    def __init__(self, port: int) -> None:
        self._port = port
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

    def certificate(self) -> str:
        """What it shows to browsers, as PEM."""
        return ssl.get_server_certificate(("127.0.0.1", self._port), timeout=ANSWER_SECONDS)

    def page(self, path: str) -> str:
        """As a person sees it."""
        return self._open(urllib.request.Request(self._base + path))

    def set_up(self, code: str, password: str) -> None:
        """A new box's administrator, who read the code off its serial line; AssertionError when refused."""
        page = self._post_form(
            "/set-up", "/set-up", code=code, password=password, again=password, language="en"
        )
        assert 'action="/log-out"' in page, page[:2000]

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

    def save_backup(self, passphrase: str) -> bytes:
        """Download one."""
        fields = {"passphrase": passphrase, "passphrase_again": passphrase}
        body = urllib.parse.urlencode({**fields, "csrf": self._csrf("/system")}).encode()
        return self._read(self._submission("/system/backup", body))

    def restore_backup(self, content: bytes, passphrase: str) -> None:
        """Upload one, look at what it changes, and put it in force."""
        mark = uuid.uuid4().hex
        body = b""
        for name, value in {"csrf": self._csrf("/system/restore"), "passphrase": passphrase}.items():
            body += f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        disposition = 'form-data; name="file"; filename="office.sealed"'
        body += f"--{mark}\r\nContent-Disposition: {disposition}\r\n\r\n".encode()
        request = self._submission("/system/restore", body + content + f"\r\n--{mark}--\r\n".encode())
        request.add_header("Content-Type", f"multipart/form-data; boundary={mark}")
        preview = self._open(request)
        token = re.search(r'name="token" value="([^"]+)"', preview)
        csrf = re.search(r'name="csrf" value="([^"]+)"', preview)
        assert token, preview[:4000]
        assert csrf, preview[:4000]
        fields = {"token": html.unescape(token[1]), "csrf": html.unescape(csrf[1])}
        self._open(self._submission("/system/restore/apply", urllib.parse.urlencode(fields).encode()))

    def api(self, method: str, path: str, **values: Any) -> Any:
        """One request to the JSON API with the token."""
        request = urllib.request.Request(f"{self._base}/api/v1/{path}", method=method)
        request.add_header("Authorization", f"Bearer {self.token}")
        if values:
            request.data = json.dumps(values).encode()
            request.add_header("Content-Type", "application/json")
        return json.loads(self._open(request))

    def _post_form(self, page: str, action: str, **fields: str) -> str:
        body = urllib.parse.urlencode({**fields, "csrf": self._csrf(page)}).encode()
        return self._open(self._submission(action, body))

    def _csrf(self, page: str) -> str:
        form = self.page(page)
        found = re.search(r'name="csrf" value="([^"]+)"', form)
        assert found, form[:2000]
        return html.unescape(found[1])

    def _submission(self, action: str, body: bytes) -> urllib.request.Request:
        return urllib.request.Request(self._base + action, data=body, headers={"Origin": self._base})

    def _open(self, request: urllib.request.Request) -> str:
        return self._read(request).decode()

    def _read(self, request: urllib.request.Request) -> bytes:
        with self._opener.open(request, timeout=ANSWER_SECONDS) as answer:
            octets: bytes = answer.read()
            return octets
