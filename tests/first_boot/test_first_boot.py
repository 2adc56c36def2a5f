"""A settings file on the card: applied whole, told, wiped; and whatever moment the power chooses, never half of it."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from appliance.cli import dispatch
from appliance.config.config import Config
from appliance.config.snapshot import Snapshot
from appliance.features import settings_areas
from appliance.first_boot import command, trace
from appliance.first_boot.applying import Outcome, first_boot
from appliance.first_boot.card import Card
from appliance.store import administrators
from appliance.store.store import Store

NAME = "branchbox.toml"
TEXT = """\
# Our office. The old password was pw-of-old.
[administrator]
password = "secret-admin"
[system]
host_name = "office"
time_zone = "Asia/Shanghai"
network = "static"
address = "192.0.2.10"
gateway = "192.0.2.1"
dns = ["192.0.2.1"]
ntp = ["ntp.example.com"]
wifi_ssid = "Office"
wifi_password = "secret-wifi"
[dial-plan]
out_prefix = "0"
[extensions.101]
name = "前台"
password = "secret-101"
[extensions.102]
password = "secret-102"
[lines.carrier]
server = "sip.example.net"
account = "100"
password = "secret-line"
[routes.out]
pattern = "X."
to = ["line:carrier"]
[do-not-disturb.101]
enabled = true
[backup-schedule]
every = "day"
passphrase = "secret-pass"
"""
SECRETS = (b"secret-", b"pw-of-old")


def put(folder: Path, text: str | bytes = TEXT, name: str = NAME) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(text.encode() if isinstance(text, str) else text)
    return folder


async def apply(folder: Path, data: Path, card: Card | None = None) -> Outcome:
    return await first_boot(card or Card(folder), data, NAME)


async def stored(data: Path) -> tuple[Snapshot, str | None]:
    """The settings and the administrator's hash as the exchange finds them."""
    store = await Store.open(data)
    try:
        config = await Config.open(store, settings_areas())
        return config.current, await store.run(lambda db: administrators.password_hash(db, "admin"))
    finally:
        await store.close()


def names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


def everything(folder: Path) -> bytes:
    return b"\n".join(each.read_bytes() for each in folder.iterdir())


def assert_applied(now: Snapshot, hashed: str | None) -> None:
    assert sorted(now.extensions) == ["101", "102"]
    assert (now.system.host_name, now.dial_plan.out_prefix) == ("office", "0")
    assert now.system.wifi_password == "secret-wifi"
    assert now.lines["carrier"].password == "secret-line"
    assert now.setting("do-not-disturb", "101").enabled is True
    assert now.setting("backup-schedule").passphrase == "secret-pass"
    assert hashed is not None
    assert administrators.verify_password("secret-admin", hashed)


async def test_all_of_it_is_applied_told_and_wiped(tmp_path: Path) -> None:
    card, data = put(tmp_path / "card"), tmp_path / "var"
    (card / "branchbox.toml.error.txt").write_text("from before")
    assert (await apply(card, data)).kind == "applied"
    assert_applied(*await stored(data))
    assert names(card) == ["branchbox.toml.done"]
    done = (card / "branchbox.toml.done").read_text(encoding="utf-8")
    assert not any(each in everything(card) for each in SECRETS)
    assert "3 changed" not in done
    assert "added" in done
    assert "新增" in done
    assert tomllib.loads(done)["extensions"] == {"101": {"name": "前台"}, "102": {}}
    wanted = json.loads((data / "system.json").read_text())
    assert (wanted["host_name"], wanted["network"]["address"]) == ("office", "192.0.2.10")
    assert (wanted["ntp"], wanted["network"]["wifi_password"]) == (["ntp.example.com"], "secret-wifi")
    assert (await apply(card, data)).kind == "nothing"


async def test_what_is_done_can_be_applied_again(tmp_path: Path) -> None:
    card, data = put(tmp_path / "card"), tmp_path / "var"
    await apply(card, data)
    before = await stored(data)
    (card / "branchbox.toml.done").rename(card / NAME)
    assert (await apply(card, data)).kind == "applied"
    assert await stored(data) == before


async def test_a_later_file_changes_what_it_names(tmp_path: Path) -> None:
    card, data = put(tmp_path / "card"), tmp_path / "var"
    await apply(card, data)
    put(card, '[administrator]\npassword = "another one"\n[extensions.101]\nname = "Desk"\n')
    assert (await apply(card, data)).kind == "applied"
    now, hashed = await stored(data)
    assert now.extensions["101"].name == "Desk"
    assert sorted(now.extensions) == ["101", "102"]
    assert hashed is not None
    assert administrators.verify_password("another one", hashed)
    put(card, TEXT)
    assert (await apply(card, data)).kind == "applied", "the same file, put there again, counts again"
    assert (await stored(data))[0].extensions["101"].name == "前台"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (TEXT.replace('"secret-102"', '"1"'), "extensions.102.password"),
        (TEXT.replace("out_prefix", "outprefix"), "dial-plan.outprefix"),
        (TEXT.replace("line:carrier", "line:none"), "line:none"),
        (TEXT.replace('"secret-admin"', '"short"'), "administrator.password"),
        (TEXT.replace('password = "secret-admin"', "password = 1"), "administrator.password"),
        (TEXT.replace('password = "secret-admin"', 'secret = "secret-admin"'), "administrator.secret"),
        (TEXT.replace("secret-101", "CHANGE-ME"), "extensions.101.password"),
        (TEXT.replace("secret-102", "CHANGE-ME"), "extensions.102.password"),
        (TEXT.replace("secret-wifi", "CHANGE-ME"), "system.wifi_password"),
        (TEXT.replace('gateway = "192.0.2.1"', 'gateway = "198.51.100.1"'), "system.gateway"),
        (TEXT + "[nonsense]\na = 1\n", "nonsense"),
        (TEXT + "[administrator]\n", "line"),
        ("administrator = 3\n" + TEXT.partition("[system]")[2].partition("\n")[2], "administrator"),
        (TEXT.encode("utf-16"), "UTF-8"),
        ("x" * (4 * 1024 * 1024 + 1), "4194304"),
    ],
)
async def test_one_mistake_and_nothing_is_changed(tmp_path: Path, text: str | bytes, reason: str) -> None:
    card, data = put(tmp_path / "card", text), tmp_path / "var"
    outcome = await apply(card, data)
    assert outcome.kind == "refused"
    assert names(card) == [NAME, "branchbox.toml.error.txt"]
    told = (card / "branchbox.toml.error.txt").read_bytes()
    assert reason in told.decode()
    assert "未应用" in told.decode()
    assert b"secret-" not in told
    now, hashed = await stored(data)
    assert (dict(now.extensions), now.revision, hashed) == ({}, 0, None)
    assert not (data / "system.json").exists()
    at = (card / "branchbox.toml.error.txt").stat().st_mtime_ns
    await apply(card, data)
    assert (card / "branchbox.toml.error.txt").stat().st_mtime_ns == at, "the card is spared"


async def test_a_mended_file_is_applied(tmp_path: Path) -> None:
    card, data = put(tmp_path / "card", TEXT + "["), tmp_path / "var"
    assert (await apply(card, data)).kind == "refused"
    put(card)
    assert (await apply(card, data)).kind == "applied"
    assert names(card) == ["branchbox.toml.done"]


async def test_what_editors_on_windows_write(tmp_path: Path) -> None:
    card = put(tmp_path / "card", b"\xef\xbb\xbf" + TEXT.replace("\n", "\r\n").encode())
    assert (await apply(card, tmp_path / "var")).kind == "applied"
    assert_applied(*await stored(tmp_path / "var"))


async def test_while_the_exchange_runs_nothing_is_done(tmp_path: Path) -> None:
    card, data = put(tmp_path / "card"), tmp_path / "var"
    store = await Store.open(data)
    assert (await apply(card, data)).kind == "refused"
    await store.close()
    assert "in use" in (card / "branchbox.toml.error.txt").read_text(encoding="utf-8")


class PowerCutError(BaseException):
    """Nothing after it happens."""


class TornCard(Card):
    """Stops after so many steps, each of which may get done, be begun, or not."""

    def __init__(self, folder: Path, steps: int, octets: int) -> None:
        super().__init__(folder)
        self.path = folder
        self.left = steps
        self.octets = octets
        "How much the last step writes of what it should."

    def _cuts(self) -> bool:
        self.left -= 1
        return self.left < 0

    def write(self, name: str, content: bytes) -> None:
        if self._cuts():
            if self.octets >= 0:
                (self.path / name).write_bytes(content[: self.octets])
            raise PowerCutError
        super().write(name, content)

    def overwrite(self, name: str, at: int, content: bytes) -> None:
        if self._cuts():
            super().overwrite(name, at, content[: max(0, self.octets)])
            raise PowerCutError
        super().overwrite(name, at, content)

    def remove(self, name: str) -> None:
        if self._cuts():
            raise PowerCutError
        super().remove(name)


STEPS = 5
"Of a file that is applied: the account is written, an old error removed, twice overwritten, removed."


@pytest.mark.parametrize("octets", [-1, 0, 1, 7, 40, len(trace.MARKER) - 1, 100, 1 << 20])
@pytest.mark.parametrize("steps", range(STEPS + 1))
async def test_the_power_goes_at_every_step_of_the_card(tmp_path: Path, steps: int, octets: int) -> None:
    card, data = put(tmp_path / "card"), tmp_path / "var"
    torn = TornCard(card, steps, octets)
    if steps < STEPS:
        with pytest.raises(PowerCutError):
            await apply(card, data, torn)
    else:
        await apply(card, data, torn)
    before = await stored(data)
    assert_applied(*before)
    outcome = await apply(card, data)
    assert outcome.kind == ("cleaned" if steps < STEPS else "nothing")
    assert await stored(data) == before, "nothing is applied twice"
    assert names(card) == ["branchbox.toml.done"]
    assert not any(each in everything(card) for each in SECRETS)
    tomllib.loads((card / "branchbox.toml.done").read_text(encoding="utf-8"))
    put(card, TEXT.replace("office", "other"))
    assert (await apply(card, data)).kind == "applied"


@pytest.mark.parametrize("steps", range(STEPS))
async def test_a_new_file_put_there_after_a_power_cut_is_applied(tmp_path: Path, steps: int) -> None:
    """The card was taken out in between, and the file replaced by one of the same size."""
    card, data = put(tmp_path / "card"), tmp_path / "var"
    with pytest.raises(PowerCutError):
        await apply(card, data, TornCard(card, steps, 10))
    put(card, TEXT.replace('"office"', '"branch"'))
    assert (await apply(card, data)).kind == "applied"
    assert (await stored(data))[0].system.host_name == "branch"
    assert names(card) == ["branchbox.toml.done"]


@pytest.mark.parametrize("where", ["commit", "wanted"])
async def test_the_power_goes_at_the_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    card, data = put(tmp_path / "card"), tmp_path / "var"

    def cut(*_: Any) -> Any:
        raise PowerCutError

    with monkeypatch.context() as patched:
        if where == "commit":
            patched.setattr(trace, "remember", cut)
        else:
            patched.setattr("appliance.first_boot.applying.write_wanted", cut)
        with pytest.raises(PowerCutError):
            await apply(card, data)
    now, hashed = await stored(data)
    if where == "commit":
        assert (dict(now.extensions), hashed) == ({}, None), "the settings and the password go together"
    assert (await apply(card, data)).kind == ("applied" if where == "commit" else "cleaned")
    assert_applied(*await stored(data))
    assert (data / "system.json").exists()
    assert names(card) == ["branchbox.toml.done"]


async def test_a_card_that_cannot_be_written_is_applied_once(tmp_path: Path) -> None:
    class ReadOnly(Card):
        def write(self, name: str, content: bytes) -> None:
            raise OSError(30, "Read-only file system")

    card, data = put(tmp_path / "card"), tmp_path / "var"
    for _ in range(2):
        with pytest.raises(OSError, match="Read-only"):
            await apply(card, data, ReadOnly(card))
        assert (await stored(data))[0].revision == 1
    assert (await apply(card, data)).kind == "cleaned"


@pytest.mark.parametrize("text", ["", "#", "# nothing\n", "[system]\n"])
async def test_a_file_that_says_nothing(tmp_path: Path, text: str) -> None:
    card, data = put(tmp_path / "card", text), tmp_path / "var"
    assert (await apply(card, data)).kind in ("applied", "cleaned")
    assert NAME not in names(card)
    assert (await stored(data))[0].revision == 0


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    card = put(tmp_path / "card", TEXT + "[")
    words = ["first-boot", "--data", str(tmp_path / "var"), "--file", str(card / NAME)]
    assert dispatch(words, [command]) == 1
    assert "refused" in capsys.readouterr().out
    put(card)
    assert dispatch(words, [command]) == 0
    assert capsys.readouterr().out == "applied\n"
    assert dispatch(words, [command]) == 0
    assert capsys.readouterr().out == "nothing\n"
    (card / NAME).mkdir()
    assert dispatch(words, [command]) == 3
    assert "branchbox.toml" in capsys.readouterr().err
