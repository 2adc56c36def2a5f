"""Area `provision`: a whole file with the password, or nothing of it."""

from __future__ import annotations

from typing import Any

import pytest

from appliance.errors import ConfigError
from tests.control.fakes import Bench

PASSWORD = "correct horse"
WHOLE = f"""
[administrator]
password = "{PASSWORD}"

[system]
host_name = "pbx"
language = "zh"

[[extensions]]
number = "101"
password = "sesame-101"

[lines.carrier]
server = "sip.example.net"
account = "100200"
password = "of the carrier"

[[routes]]
name = "world"
pattern = "[0-9]+"
to = ["line:carrier"]

[dial-plan]
out_prefix = "9"

[[groups]]
name = "600"
members = ["101"]
"""


async def refused(bench: Bench, text: str) -> tuple[str, str]:
    """Path and key; and nothing was changed."""
    before = bench.config.current
    with pytest.raises(ConfigError) as error:
        await bench("provision", "apply", text=text)
    assert bench.config.current == before
    return error.value.path, error.value.key


async def test_a_new_box_takes_everything(bench: Bench) -> None:
    assert await bench("provision", "apply", text=WHOLE) == {"added": 4, "changed": 0}
    assert bench.config.current.revision == 1, "one change"
    assert (await bench("status", "show"))["set_up"]
    await bench("admin", "log-in", password=PASSWORD)
    assert (await bench("groups", "show", "600"))["members"] == ["101"]
    assert (await bench("dial-plan", "show"))["out_prefix"] == "9"


async def test_sent_twice_it_is_the_same(bench: Bench) -> None:
    await bench("provision", "apply", text=WHOLE)
    assert await bench("provision", "apply", text=WHOLE) == {"added": 0, "changed": 0}


@pytest.mark.parametrize(
    ("right", "wrong", "path", "key"),
    [
        ('number = "101"', 'number = "1"', "extensions.1.number", "error.bad_number"),
        ('server = "sip.example.net"\n', "", "lines.carrier.server", "error.value_missing"),
        ('members = ["101"]', "members = [101]", "groups.600.members", "error.not_a_list"),
        ('out_prefix = "9"', 'colour = "red"', "dial-plan.colour", "error.unknown_setting"),
        ("[[groups]]", "[[parrots]]", "parrots", "error.unknown_area"),
        (f'"{PASSWORD}"', '"short"', "administrator.password", "error.password_length"),
        (f'"{PASSWORD}"', "5", "administrator.password", "error.not_a_text"),
        (f'"{PASSWORD}"', f'"{PASSWORD}"\nname = "x"', "administrator.name", "error.unknown_setting"),
        (f'"{PASSWORD}"', '"CHANGE-ME"', "administrator.password", "error.placeholder"),
        ('"of the carrier"', '"CHANGE-ME"', "lines.carrier.password", "error.placeholder"),
        ("[system]", "[system", "import", "error.not_toml"),
    ],
)
async def test_one_fault_and_nothing_is_half_done(
    bench: Bench, right: str, wrong: str, path: str, key: str
) -> None:
    assert await refused(bench, WHOLE.replace(right, wrong, 1)) == (path, key)
    assert not (await bench("status", "show"))["set_up"]


async def test_a_box_that_is_set_up_wants_the_password_first(bench: Bench) -> None:
    await bench("provision", "apply", text=WHOLE)
    theirs = '[system]\nhost_name = "theirs"\n'
    assert await refused(bench, theirs) == ("administrator.password", "serial.item.no_password")
    wrong = '[administrator]\npassword = "wrong horse"\n' + theirs
    assert (await refused(bench, wrong))[1] == "error.wrong_password"
    assert await refused(bench, "administrator = 3\n") == ("administrator", "error.not_a_table")


async def test_a_new_password_for_a_box_that_is_set_up(bench: Bench) -> None:
    await bench("provision", "apply", text=WHOLE)
    both: dict[str, Any] = {
        "text": f'[administrator]\npassword = "{PASSWORD}"\nnew_password = "newer horse"\n'
    }
    assert await refused(bench, both["text"].replace("newer horse", "short")) == (
        "administrator.new_password",
        "error.password_length",
    )
    await bench("provision", "apply", **both)
    await bench("admin", "log-in", password="newer horse")


async def test_the_first_password_spends_the_code(bench: Bench) -> None:
    code = (await bench("admin", "new-code"))["code"]
    await bench("provision", "apply", text=WHOLE)
    with pytest.raises(ConfigError):
        await bench("admin", "set-up", code=code, password="a stranger's")


async def test_only_on_the_box(bench: Bench) -> None:
    with pytest.raises(ConfigError, match="only_on_the_box"):
        await bench("provision", "apply", text=WHOLE, actor="web:admin")
