"""What an extension may be."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.config.extension import Extension, check_name, check_number, check_password, verify
from appliance.errors import ConfigError


def extension(number: str = "101", **settings: object) -> Extension:
    plain = Extension(number=number, ha1_md5="0" * 32, ha1_sha256="0" * 64)
    return msgspec.structs.replace(plain, **settings)


@pytest.mark.parametrize("number", ["10", "101", "001", "123456789012345"])
def test_good_numbers(number: str) -> None:
    verify(extension(number))


@pytest.mark.parametrize(
    "number", ["", "1", "1234567890123456", "10a", "1 0", "+49", "*1", "10\n", "１０１", "10;x", "-1"]
)
def test_bad_numbers(number: str) -> None:
    with pytest.raises(ConfigError) as refused:
        check_number("extensions.x.number", number)
    assert (refused.value.path, refused.value.key) == ("extensions.x.number", "error.bad_number")


@pytest.mark.parametrize("name", ["", "Reception", "前台　王小姐", "Ünal 'the' \"boss\"", "x" * 64])
def test_good_names(name: str) -> None:
    check_name("extensions.101.name", name)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("x" * 65, "error.too_long"),
        ("a\r\nVia: x", "error.control_character"),
        ("\x1b[2J", "error.control_character"),
        ("\ud800", "error.control_character"),
    ],
)
def test_bad_names(name: str, key: str) -> None:
    with pytest.raises(ConfigError) as refused:
        check_name("extensions.101.name", name)
    assert refused.value.key == key


@pytest.mark.parametrize(
    ("password", "key"),
    [
        ("abc", "error.password_length"),
        ("x" * 65, "error.password_length"),
        ("1001", "error.password_is_number"),
        ("pass\0word", "error.control_character"),
    ],
)
def test_bad_passwords(password: str, key: str) -> None:
    with pytest.raises(ConfigError) as refused:
        check_password("extensions.1001.password", "1001", password)
    assert refused.value.key == key


def test_a_good_password() -> None:
    check_password("extensions.101.password", "101", "pw101")


@pytest.mark.parametrize(("seconds", "good"), [(4, False), (5, True), (300, True), (301, False)])
def test_how_long_it_may_ring(seconds: int, good: bool) -> None:
    if good:
        verify(extension(ring_seconds=seconds))
        return
    with pytest.raises(ConfigError) as refused:
        verify(extension(ring_seconds=seconds))
    assert refused.value.path == "extensions.101.ring_seconds"
    assert refused.value.params == {"low": 5, "high": 300}


def test_its_digests_are_not_printed() -> None:
    secret = extension(ha1_md5="deadbeef" * 4)
    assert "deadbeef" not in f"{secret!r} {secret}"


@given(
    st.builds(
        Extension,
        number=st.text(max_size=20),
        name=st.text(st.characters(exclude_categories=["Cs"])),
        ha1_md5=st.text(max_size=32),
        ha1_sha256=st.text(max_size=64),
        enabled=st.booleans(),
        ring_seconds=st.integers(-(2**63), 2**63 - 1),
    )
)
def test_any_extension_survives_json_and_is_good_or_refused(one: Extension) -> None:
    try:
        verify(one)
    except ConfigError:
        return
    assert msgspec.json.decode(msgspec.json.encode(one), type=Extension) == one
