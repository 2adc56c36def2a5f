"""`branchbox ctl` as the outer contract has it: words in, text or JSON out, an exit status. Real sockets."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from appliance.backup import sealed
from appliance.cli import dispatch
from appliance.cli.table import width
from appliance.config.codes import CODES
from appliance.control.areas import AREAS
from appliance.diagnosis.trace import TracedMessage
from appliance.features import settings_areas
from appliance.media.tone import sine
from appliance.media.wav import write_wav
from tests.cli.conftest import Ctl
from tests.control.fakes import Bench, FakeCall


def test_added_listed_shown_set_removed(ctl: Ctl, capsys: pytest.CaptureFixture[str]) -> None:
    assert ctl("extensions", "add", "number=101", "name=前台", "password=pw101") == 0
    assert ctl("extensions", "add", "number=102", "name=Desk", "password=pw102", "ring_seconds=20") == 0
    capsys.readouterr()
    assert ctl("extensions", "list") == 0
    assert capsys.readouterr().out.splitlines() == [
        "number  name  enabled  ring_seconds  level  state",
        "101     前台  yes      60            0      offline",
        "102     Desk  yes      20            0      offline",
    ]
    assert ctl("extensions", "set", "102", "enabled=no") == 0
    capsys.readouterr()
    assert ctl("extensions", "show", "102", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {
        "number": "102",
        "name": "Desk",
        "enabled": False,
        "ring_seconds": 20,
        "level": 0,
        "state": "offline",
        "contacts": [],
    }
    assert ctl("extensions", "remove", "102") == 0
    assert capsys.readouterr().out == ""
    assert ctl("--json", "extensions", "list") == 0
    assert [each["number"] for each in json.loads(capsys.readouterr().out)] == ["101"]


def test_a_refusal_is_status_1_and_its_reason_is_on_standard_error(
    ctl: Ctl, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ctl("extensions", "add", "number=1", "password=pw101") == 1
    refused = capsys.readouterr()
    assert refused.out == ""
    assert refused.err == ("branchbox: extensions.1.number: A number has 2 to 15 digits and nothing else.\n")
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert ctl("extensions", "remove", "999") == 1
    assert capsys.readouterr().err == "branchbox: extensions.999: 未找到该对象。\n"


def test_where_a_call_would_go_is_told_a_reason_a_line(ctl: Ctl, capsys: pytest.CaptureFixture[str]) -> None:
    assert ctl("extensions", "add", "number=101", "password=pw101") == 0
    assert ctl("system", "set", "language=en") == 0
    capsys.readouterr()
    assert ctl("routes", "test", "9112", "from=101", "at=2026-05-04T08:30") == 0
    told = capsys.readouterr().out.splitlines()
    assert "101" in told[0]
    assert "9112" in told[0]
    assert "2026-05-04 08:30" in told[0]
    assert len(told) > 1
    assert ctl("routes", "test", "9112", "from=101", "--json") == 0
    assert json.loads(capsys.readouterr().out)["decision"]["outcome"]["type"] == "refused"
    assert ctl("routes", "test", "9112", "from=999") == 1


@pytest.mark.parametrize(
    "words",
    [
        ["extensions"],
        ["extensions", "number=101"],
        ["extensions", "nonsense"],
        ["nonsense", "list"],
        ["extensions", "show"],
        ["extensions", "list", "101"],
        ["extensions", "show", "101", "102"],
        ["extensions", "set", "name=A", "101"],
        ["restore"],
        ["backup"],
        ["backup", "a", "b"],
        ["import"],
    ],
)
def test_wrong_usage_is_status_2(ctl: Ctl, capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    assert ctl(*words) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("branchbox: ")


@pytest.mark.parametrize("words", [[], ["ctl"], ["nonsense"], ["ctl", "--colour", "extensions", "list"]])
def test_argparse_says_wrong_usage_with_2_too(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        dispatch(words)
    assert ended.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_options_may_stand_between_the_words(ctl: Ctl, capsys: pytest.CaptureFixture[str]) -> None:
    assert ctl("extensions", "--json", "add", "number=101", "password=pw101") == 0
    assert json.loads(capsys.readouterr().out)["number"] == "101"
    with pytest.raises(SystemExit) as ended:
        dispatch(["version", "--json", "extensions"])
    assert ended.value.code == 2


def test_help_names_every_area(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        dispatch(["ctl", "--help"])
    assert ended.value.code == 0
    told = capsys.readouterr().out
    services = {area.name for area in settings_areas()} - {CODES}
    for area in AREAS:
        assert area.name in services or f" {area.name}" in told


def test_a_text_that_is_no_utf8_from_standard_input(
    ctl: Ctl, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"\xff\xfe"), encoding="utf-8"))
    assert ctl("import", "-") == 2
    assert "UTF-8" in capsys.readouterr().err


def test_not_running_is_status_3(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert dispatch(["ctl", "--data", str(tmp_path), "extensions", "list"]) == 3
    assert "not running" in capsys.readouterr().err


def test_the_socket_and_the_variable_lead_there_too(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(bench.store.folder / "control.sock")
    assert dispatch(["ctl", "--socket", path, "--json", "calls", "list"]) == 0
    monkeypatch.setenv("BRANCHBOX_DATA", str(bench.store.folder))
    assert dispatch(["ctl", "--json", "calls", "list"]) == 0
    assert capsys.readouterr().out == "[]\n[]\n"


def test_a_password_from_standard_input(
    ctl: Ctl, bench: Bench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("from stdin\n"))
    assert ctl("extensions", "add", "number=101", "password=-", "name=-") == 0
    assert bench.config.current.extensions["101"].name == "-"
    by_pipe = bench.config.current.extensions["101"].ha1_md5
    assert ctl("extensions", "set", "101", "password=from stdin") == 0
    assert bench.config.current.extensions["101"].ha1_md5 == by_pipe
    assert "from stdin" not in capsys.readouterr().out


def test_values_may_hold_equals_signs_and_blanks(ctl: Ctl, bench: Bench) -> None:
    assert ctl("extensions", "add", "number=101", "password=a=b=c d", "name=R & D = fun") == 0
    assert bench.config.current.extensions["101"].name == "R & D = fun"


def test_a_list_fits_a_terminal_and_everything_is_shown_elsewhere(
    ctl: Ctl, capsys: pytest.CaptureFixture[str]
) -> None:
    ctl("lines", "add", "name=carrier", "server=sip.example.net", "account=100200", "password=secret")
    ctl("trunks", "add", "name=hq", "peers=" + ",".join(f"192.0.2.{at}:5060" for at in range(1, 17)))
    ctl("routes", "add", "name=out", "pattern=X.", "to=line:carrier,trunk:hq")
    for area, name in (("lines", "carrier"), ("trunks", "hq"), ("routes", "out")):
        capsys.readouterr()
        ctl(area, "list")
        listed = capsys.readouterr().out
        assert name in listed
        assert max(map(width, listed.splitlines())) <= 100
        ctl(area, "show", name)
        shown = {line.split()[0] for line in capsys.readouterr().out.splitlines()}
        assert len(listed.split("\n", 1)[0].split()) < len(shown)
        ctl("--json", area, "list")
        (everything,) = json.loads(capsys.readouterr().out)
        assert everything.keys() == shown


def test_nothing_to_list_is_said_on_standard_error(ctl: Ctl, capsys: pytest.CaptureFixture[str]) -> None:
    for area in ("registrations", "calls", "records"):
        assert ctl(area, "list") == 0
        told = capsys.readouterr()
        assert (told.out, told.err) == ("", "There is nothing to list.\n")


def test_calls(ctl: Ctl, bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    bench.exchange.live.append(FakeCall())
    assert ctl("calls", "show", "call-1") == 0
    out = capsys.readouterr().out
    assert "state        talking\n" in out
    assert "legs         caller 101 192.0.2.9:5062 udp, callee 102 192.0.2.9:5062 udp\n" in out
    assert ctl("calls", "hang-up", "call-1") == 0
    assert bench.exchange.hung_up == ["call-1"]


def test_a_trace_reads_as_messages(ctl: Ctl, bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    text = "OPTIONS sip:a@b SIP/2.0\r\nUser-Agent: \x1b[2J\r\n\r\n"
    bench.traced.append(TracedMessage(1_700_000_000.5, "in", "udp", "192.0.2.9:5062", text))
    assert ctl("trace", "show", "call-1") == 0
    out = capsys.readouterr().out
    assert out.startswith("2023-11-14T22:13:20.500000Z  in  udp  192.0.2.9:5062\nOPTIONS sip:a@b SIP/2.0\n")
    assert "\x1b" not in out


def test_export_import_backup_restore(
    ctl: Ctl,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("in.toml").write_text('[extensions.101]\nname = "前台"\npassword = "pw101"\n', encoding="utf-8")
    assert ctl("import", "in.toml") == 0
    assert "added" in capsys.readouterr().out
    assert ctl("export") == 0
    text = capsys.readouterr().out
    assert "[extensions.101]" in text
    assert ctl("backup", "box.tar.gz") == 0
    assert Path("box.tar.gz").exists()
    assert ctl("extensions", "remove", "101") == 0
    monkeypatch.setattr("sys.stdin", io.StringIO('[extensions.102]\npassword = "pw102"\n'))
    assert ctl("import", "-") == 0
    assert ctl("restore", "box.tar.gz") == 0
    capsys.readouterr()
    assert ctl("--json", "extensions", "list") == 0
    assert [each["name"] for each in json.loads(capsys.readouterr().out)] == ["前台"]


def test_a_passphrase_is_typed_and_never_on_the_command_line(
    ctl: Ctl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sealed, "COST", 10)

    def typed(text: str) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO(text))

    assert ctl("backup", "b", "passphrase=a secret of mine") == 2
    assert "passphrase=-" in capsys.readouterr().err
    assert not Path("b").exists()
    typed("a secret of mine\n")
    assert ctl("backup", "b", "passphrase=-", "voicemail=no", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["sealed"] is True
    assert "voicemail" not in told["holds"]
    assert ctl("restore", "b") == 1
    assert "sealed with a passphrase" in capsys.readouterr().err
    typed("another secret\n")
    assert ctl("restore", "b", "passphrase=-") == 1
    assert "not the passphrase" in capsys.readouterr().err
    typed("a secret of mine\n")
    assert ctl("restore", "b", "passphrase=-") == 0
    typed("a secret of mine\n")
    assert ctl("backup", "look", f"file={tmp_path / 'b'}", "passphrase=-") == 0
    assert "extensions" in capsys.readouterr().out


def test_a_new_passphrase_is_asked_for_twice(
    ctl: Ctl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    answers = ["a secret of mine", "a secret of yours"]
    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("getpass.getpass", lambda prompt: answers.pop(0))
    assert ctl("backup", str(tmp_path / "b"), "passphrase=-") == 2
    assert "not the same" in capsys.readouterr().err
    assert answers == []


def test_music_is_named_by_its_file(
    ctl: Ctl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with Path("a.wav").open("wb") as file:
        write_wav(file, sine(500, 8000, peak=3000).tobytes())
    assert ctl("music", "set", "a.wav") == 0
    assert "a.wav" in capsys.readouterr().out
    assert ctl("music", "set", "tones=china") == 0
    assert ctl("--json", "music", "show") == 0
    shown = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (shown["title"], shown["seconds"], shown["tones"]) == ("a.wav", 1.0, "china")
    Path("b.wav").write_text("no music")
    assert ctl("music", "set", "b.wav") == 1
    assert "This is not a WAV file" in capsys.readouterr().err
    assert ctl("music", "remove") == 0


def test_files_that_cannot_be_read(ctl: Ctl, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ctl("import", str(tmp_path / "none.toml")) == 1
    assert "none.toml" in capsys.readouterr().err
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    assert ctl("import", str(tmp_path / "binary")) == 2
    assert "UTF-8" in capsys.readouterr().err


def columns(*texts: str) -> str:
    """As a table shows them, whatever the width of its columns."""
    return " ".join(" ".join(texts).split())


def test_a_services_settings_and_codes(ctl: Ctl, bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    assert ctl("extensions", "add", "number=101", "password=pw101") == 0
    assert ctl("do-not-disturb", "set", "101", "enabled=yes") == 0
    assert bench.config.current.setting("do-not-disturb", "101").enabled
    assert ctl("do-not-disturb", "set", "999", "enabled=yes") == 1
    assert ctl("codes", "set", "do_not_disturb_on", "code=*70") == 0
    assert ctl("codes", "set", "do_not_disturb_off", "code=*70") == 1
    capsys.readouterr()
    assert ctl("do-not-disturb", "list") == 0
    assert "101" in capsys.readouterr().out
    assert ctl("codes", "list") == 0
    assert columns("do_not_disturb_on", "*70", "do-not-disturb", "Take no calls") in columns(
        capsys.readouterr().out
    )
    assert ctl("features", "list") == 0
    assert columns("do-not-disturb", "Do not disturb", "*70, *79", "do-not-disturb") in columns(
        capsys.readouterr().out
    )
