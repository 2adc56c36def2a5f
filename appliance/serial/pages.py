"""What wizard and menu show and then leave: passwords once, the console's address with its QR code. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from appliance.serial.dialogue import Talk, Words, ask, say
from appliance.serial.qr import qr_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["console_urls", "show_console", "show_passwords"]

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
    url = str(status.get("console_url") or "")
    if not url:
        return []
    try:
        port = urlsplit(url).port
    except ValueError:
        return [url]
    hosts = [address] if address else [str(each) for each in status.get("addresses") or ()]
    suffix = "" if port in (None, 443) else f":{port}"
    return [f"https://{f'[{host}]' if ':' in host else host}{suffix}" for host in hosts] or [url]


def show_console(words: Words, urls: Sequence[str]) -> Talk[None]:
    """The addresses and a QR code of the first; letters instead of blocks when the person asks for them."""
    if not urls:
        yield from say(words("console.no_address"))
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
