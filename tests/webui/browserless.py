"""A browser without a screen or a network: it calls the WSGI application and keeps cookies and tokens."""

from __future__ import annotations

import io
import re
import sys
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode

from webui.session import COOKIE

__all__ = ["HOST", "Client", "Response"]

HOST = "box.example"
TOKEN = re.compile(r'name="csrf" value="([0-9a-f]{64})"')


@dataclass(frozen=True)
class Response:
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode(errors="replace")

    def header(self, name: str) -> str | None:
        """The first header of that name."""
        return next((value for each, value in self.headers if each.lower() == name.lower()), None)


@dataclass
class Client:
    """One visitor."""

    app: Any
    language: str = "en"
    cookies: dict[str, str] = field(default_factory=dict)
    token: str = ""
    "The CSRF token of the page seen last."
    source: str = "192.0.2.77"

    @property
    def id(self) -> str:
        return self.cookies.get(COOKIE, "")

    def get(self, path: str, **headers: str) -> Response:
        return self.ask("GET", path, b"", "", **headers)

    def post(self, path: str, fields: dict[str, str] | None = None, **headers: str) -> Response:
        """Send a form as a browser does, with the token of the page seen last."""
        body = urlencode({"csrf": self.token, **(fields or {})}).encode()
        origin = {"origin": f"https://{HOST}"}
        return self.ask("POST", path, body, "application/x-www-form-urlencoded", **(origin | headers))

    def ask(
        self, method: str, path: str, body: bytes = b"", content_type: str = "", **headers: str
    ) -> Response:
        """`headers` by their names with underscores; an empty value leaves one out."""
        path, _, query = path.partition("?")
        environ: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": content_type,
            "CONTENT_LENGTH": str(len(body)),
            "REMOTE_ADDR": self.source,
            "SERVER_NAME": HOST,
            "SERVER_PORT": "443",
            "HTTP_HOST": HOST,
            "HTTP_ACCEPT_LANGUAGE": self.language,
            "wsgi.url_scheme": "https",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": sys.stderr,
        }
        if self.cookies:
            environ["HTTP_COOKIE"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        environ |= {f"HTTP_{name.upper()}": value for name, value in headers.items() if value}
        return self._call(environ)

    def log_in(self, password: str = "correct horse battery") -> Response:
        self.get("/log-in")
        return self.post("/log-in", {"password": password})

    def _call(self, environ: dict[str, Any]) -> Response:
        told: list[Any] = []
        result = self.app(environ, lambda status, headers, _=None: told.extend((status, headers)))
        try:
            body = b"".join(result)
        finally:
            if hasattr(result, "close"):
                result.close()
        response = Response(int(told[0].split()[0]), tuple(told[1]), body)
        for name, value in response.headers:
            if name == "Set-Cookie":
                self.cookies |= {each: morsel.value for each, morsel in SimpleCookie(value).items()}
        if (response.header("Content-Type") or "").startswith("text/html") and (
            found := TOKEN.search(response.text)
        ):
            self.token = found[1]
        return response
