"""What wizard and menu show and then leave: passwords once, the console's address with its QR code. Pure."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from appliance.serial.dialogue import Talk, Words, ask, say
from appliance.serial.qr import qr_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["console_urls", "is_loopback", "show_console", "show_passwords"]

PAGE_LINES = 18
"Of a terminal's 24, with room for a heading and the prompt."


def show_passwords(words: Words, extensions: Sequence[dict[str, Any]]) -> Talk[None]:
    """Numbers and passwords, page by page: this is the one time they are shown."""
    for start in range(0, len(extensions), PAGE_LINES):
        yield from say("\n" + words("extensions.once"))
        page = extensions[start : start + PAGE_LINES]
        yield from say("\n".join(f"  {each['number']:<10}{each['password']}" for each in page))
        yield from ask(words("enter"))


def console_urls(status: dict[str, Any], address: str = "") -> list[str]:
    """The console's addresses, best first. `address` is one that the box is just about to get."""
    url = str(status.get("console_url") or "").rstrip("/")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return [url]
    if host is None:
        return []
    suffix = "" if port in (None, 443) else f":{port}"
    if address:
        return [f"https://{address}{suffix}"]
    others = [str(each) for each in status.get("addresses") or ()]
    # The console listens on one address or on all; `addresses` are the telephones'.
    if host not in others:
        return [url]
    return [
        url,
        *(f"https://{f'[{each}]' if ':' in each else each}{suffix}" for each in others if each != host),
    ]


def show_console(words: Words, urls: Sequence[str]) -> Talk[None]:
    """The addresses and a QR code of the first; letters instead of blocks when the person asks for them."""
    if not urls:
        yield from say(words("console.no_address"))
        return
    if is_loopback(urls[0]):
        yield from say(words("console.no_address"))
        yield from say(words("console.about") + f"\n  {urls[0]}")
        return
    unicode = words.unicode
    while True:
        if lines := qr_lines(urls[0], unicode=unicode):
            yield from say("\n" + "\n".join(lines))
            yield from ask(words("enter"))
        yield from say(words("console.about") + "\n" + "\n".join(f"  {url}" for url in urls))
        if not lines or not unicode:
            return
        # Whether a terminal shows block characters cannot be asked of it, only of the person.
        answer = yield from ask(words("console.plain"))
        if answer.lower() != "a":
            return
        unicode = False


def is_loopback(url: str) -> bool:
    """Whether nobody but the box itself can open it: nothing to hold a telephone's camera at."""
    try:
        return ip_address(urlsplit(url).hostname or "").is_loopback
    except ValueError:
        return False
