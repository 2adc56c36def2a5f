"""The headers of one message, as raw text by name, in order.

RFC 3261 §7.3. Names come in any case and in compact form; values are kept as the peer wrote them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from appliance.errors import LocalError
from appliance.sip.message.names import DISPLAY, KEYS, header_key

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

__all__ = ["Headers"]


class Headers:
    """What a message says about itself.

    Lines of one name stay in order and together; between names only the first line's place is kept, which
    §7.3.1 calls insignificant.
    """

    __slots__ = ("fields", "spellings", "typed")

    def __init__(self, items: Iterable[tuple[str, str]] = ()) -> None:
        self.fields: dict[str, tuple[str, ...]] = {}
        """Raw values by key. Only the parser and the printer beside it reach in here. Tuples of text, since these
        the garbage collector need not look at: a header is the commonest thing there is here."""
        self.spellings: dict[str, str] = {}
        "How the sender spells the names that are not ours to spell."
        self.typed: dict[str, Any] = {}
        "What messages have read from the values so far, by key; a change of the header forgets it."
        for name, value in items:
            self.add(name, value)

    @classmethod
    def of(cls, fields: dict[str, tuple[str, ...]], spellings: dict[str, str]) -> Headers:
        """The parser's way to make them: of its own dictionaries, which it gives away."""
        headers = cls.__new__(cls)
        headers.fields = fields
        headers.spellings = spellings
        headers.typed = {}
        return headers

    def get(self, name: str) -> str | None:
        """The header's first line; None without one."""
        key = KEYS[name] if name in KEYS else header_key(name)
        values = self.fields.get(key)
        return values[0] if values else None

    def get_all(self, name: str) -> list[str]:
        """The header's lines as sent, none split at commas."""
        key = KEYS[name] if name in KEYS else header_key(name)
        return list(self.fields[key]) if key in self.fields else []

    def add(self, name: str, value: str) -> None:
        """Add a line below those that the header has."""
        key = self._prepare(name, value)
        self.fields[key] = (*self.fields[key], value) if key in self.fields else (value,)

    def add_first(self, name: str, value: str) -> None:
        """Add a line above those that the header has: a new Via. A new header goes above all others."""
        key = self._prepare(name, value)
        if key in self.fields:
            self.fields[key] = (value, *self.fields[key])
        else:
            self.fields = {key: (value,), **self.fields}

    def set(self, name: str, value: str) -> None:
        """Put one line in place of all that the header has."""
        self.fields[self._prepare(name, value)] = (value,)

    def replace_first(self, name: str, value: str) -> None:
        """Put a line in place of the header's first; the others stay as they are. Without one: add it."""
        key = self._prepare(name, value)
        self.fields[key] = (value, *self.fields.get(key, ())[1:])

    def remove(self, name: str) -> None:
        """Drop all lines of a header, if there are any."""
        key = header_key(name)
        self.fields.pop(key, None)
        self.typed.pop(key, None)

    def copy(self) -> Headers:
        """The same headers in an object of its own."""
        return Headers.of(self.fields.copy(), self.spellings.copy())

    def items(self) -> Iterator[tuple[str, str]]:
        """Name and value of each line; known names in the RFC's spelling, others in the sender's."""
        for key, values in self.fields.items():
            name = DISPLAY.get(key) or self.spellings.get(key, key)
            for value in values:
                yield name, value

    def others(self, keys: Collection[str]) -> list[tuple[str, str]]:
        """As `items`, without the headers that `keys` names in lower case."""
        fields = self.fields
        return [
            (DISPLAY.get(key) or self.spellings.get(key, key), value)
            for key in fields
            if key not in keys
            for value in fields[key]
        ]

    def __contains__(self, name: str) -> bool:
        return (KEYS[name] if name in KEYS else header_key(name)) in self.fields

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Headers) and self.fields == other.fields

    __hash__ = None  # type: ignore[assignment]  # it can change

    def __repr__(self) -> str:
        return f"Headers({list(self.items())!r})"

    def _prepare(self, name: str, value: str) -> str:
        if "\n" in value or "\r" in value:
            # A line break would let whoever chose the value write headers of ours.
            msg = f"line break in the value of {name}"
            raise LocalError(msg)
        if name in KEYS:
            key = KEYS[name]
        else:
            key = header_key(name)
            if key not in DISPLAY:
                self.spellings.setdefault(key, name)
        if self.typed:
            self.typed.pop(key, None)
        return key
