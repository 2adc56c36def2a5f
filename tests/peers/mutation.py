"""Messages gone wrong by chance: octets flipped, pieces lost or put in, lines doubled, dropped or given other values."""

from __future__ import annotations

from random import Random

__all__ = ["mutated"]

PIECES = (
    *(
        b"",
        b";",
        b",",
        b"<",
        b">",
        b'"',
        b"\\",
        b"=",
        b"@",
        b"?",
        b"&",
        b"%",
        b"%00",
        b"%zz",
        b"\x00",
        b"\xff\xfe",
    ),
    *(
        b"\r",
        b"\n",
        b"\r\n",
        b"\r\n ",
        b"\t",
        b" " * 50,
        b"a" * 3000,
        b"-1",
        b"0",
        b"65536",
        b"4294967296",
        b":0",
    ),
    *(b"sip:", b"sips:", b"tel:", b"[::1]", b"*", b"tag=", b";tag=1", b";lr", b"z9hG4bK", b"SIP/2.0 200 OK"),
    *(
        b"100rel",
        b"timer",
        b"\r\nRequire: 100rel",
        b"\r\nRSeq: 1",
        b"\r\nRAck: 1 1 INVITE",
        b"\r\nExpires: 0",
    ),
    *(
        b"\r\nSession-Expires: 90;refresher=uac",
        b"\r\nMin-SE: 90",
        b"\r\nContent-Encoding: gzip",
        b"\r\nContact: *",
    ),
    *(
        b"\r\nRecord-Route: <sip:192.0.2.1;lr>",
        b"\r\nContent-Length: 7",
        b"\r\nMax-Forwards: 0",
        b"\r\nVia: x",
    ),
)


def mutated(data: bytes, chance: Random) -> bytes:
    """The message with one to three things wrong with it."""
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        data = chance.choice(_WAYS)(data, chance) or b"x"
    return data


def _flip(data: bytes, chance: Random) -> bytes:
    at = chance.randrange(len(data))
    return data[:at] + chance.randbytes(1) + data[at + 1 :]


def _put_in(data: bytes, chance: Random) -> bytes:
    at = chance.randrange(len(data))
    return data[:at] + chance.choice(PIECES) + data[at:]


def _lose(data: bytes, chance: Random) -> bytes:
    at = chance.randrange(len(data))
    return data[:at] + data[at + chance.randrange(40) :]


def _cut(data: bytes, chance: Random) -> bytes:
    return data[: chance.randrange(len(data))]


def _drop_line(data: bytes, chance: Random) -> bytes:
    lines = data.split(b"\r\n")
    del lines[chance.randrange(len(lines))]
    return b"\r\n".join(lines)


def _double_line(data: bytes, chance: Random) -> bytes:
    lines = data.split(b"\r\n")
    lines.insert(chance.randrange(len(lines)), chance.choice(lines))
    return b"\r\n".join(lines)


def _change_value(data: bytes, chance: Random) -> bytes:
    lines = data.split(b"\r\n")
    at = chance.randrange(len(lines))
    lines[at] = lines[at].partition(b":")[0] + b": " + chance.choice(PIECES)
    return b"\r\n".join(lines)


_WAYS = (_flip, _put_in, _put_in, _lose, _cut, _drop_line, _double_line, _change_value)
