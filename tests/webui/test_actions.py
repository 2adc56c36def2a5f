"""What an administrator does, from set-up to backup: form in, control asked, answer seen."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest

from tests.webui.browserless import HOST, Client, Response
from tests.webui.fake_control import FakeControl
from tests.webui.fake_outside import described
from webui.app import create_app


def last_asked(control: FakeControl, area: str) -> tuple[str, str | None, dict[str, object]]:
    """The last change asked of an area."""
    for asked_area, verb, key, values, _ in reversed(control.asked):
        if asked_area == area and verb not in {"list", "show"}:
            return verb, key, values
    raise AssertionError(area)


def test_set_up_with_the_code_logs_in_and_leads_to_the_first_extension() -> None:
    control = FakeControl()
    client = Client(create_app(control, describe=described))
    assert client.get("/").header("Location") == "/log-in"
    assert client.get("/log-in").header("Location") == "/set-up"
    client.get("/set-up")
    fields = {"code": "1234-5678", "password": "correct horse", "again": "correct horse", "language": "zh"}
    wrong = client.post("/set-up", {**fields, "code": "0000-0000"})
    assert wrong.status == 400
    assert "correct horse" not in wrong.text
    assert client.post("/set-up", {**fields, "again": "another horse"}).status == 400
    assert control.password is None
    assert client.post("/set-up", fields).header("Location") == "/"
    told = control.status_show(None, {})
    assert (told["set_up"], told["language"]) == (True, "zh")
    assert "添加第一个" in client.get("/").text


def test_a_new_code_sets_a_new_password_and_logs_everybody_out(
    admin: Client, visitor: Client, control: FakeControl
) -> None:
    visitor.get("/set-up")
    fields = {"code": "1234-5678", "password": "a new one here", "again": "a new one here"}
    assert visitor.post("/set-up", fields).status == 303
    assert control.password == "a new one here"
    assert visitor.get("/").status == 200
    assert admin.get("/").status == 303


def test_the_first_page_tells_of_a_full_disk(admin: Client, control: FakeControl) -> None:
    assert "disk is full" not in admin.get("/").text
    control.findings = ["disk_full"]
    assert "disk is full: 24.3 GB are left" in admin.get("/").text


def test_an_extension_is_added_changed_and_removed(admin: Client, control: FakeControl) -> None:
    added = {
        "number": "120",
        "name": "Lab",
        "password": "s3cret words",
        "ring_seconds": "20",
        "level": "3",
        "enabled": "on",
    }
    assert admin.post("/extensions/add", added).header("Location") == "/extensions"
    expected = {
        "number": "120",
        "name": "Lab",
        "password": "s3cret words",
        "ring_seconds": 20,
        "level": 3,
        "enabled": True,
    }
    assert last_asked(control, "extensions") == ("add", None, expected)
    assert "Extension 120 was added." in admin.get("/extensions").text
    assert "Extension 120 was added." not in admin.get("/extensions").text

    form = admin.get("/extensions/120/edit").text
    assert "s3cret words" not in form
    assert 'name="level" type="number" value="3"' in form
    assert admin.post("/extensions/120/edit", {"level": "10"}).status == 400
    admin.post("/extensions/120/edit", {"name": "Lab 2", "password": "", "ring_seconds": "30"})
    expected = {"name": "Lab 2", "ring_seconds": 30, "enabled": False}
    assert last_asked(control, "extensions") == ("set", "120", expected)

    admin.post("/extensions/120/remove")
    assert "120" not in control.extensions


def test_a_refused_extension_keeps_what_was_typed_but_not_the_password(admin: Client) -> None:
    response = admin.post("/extensions/add", {"number": "101", "name": "Kept", "password": "s3cret words"})
    assert response.status == 400
    assert 'value="Kept"' in response.text
    assert "s3cret words" not in response.text
    assert 'aria-describedby="number-error"' in response.text


def test_many_at_once_show_their_passwords_until_they_are_put_away(
    admin: Client, control: FakeControl
) -> None:
    answer = admin.post("/extensions/many", {"first": "201", "count": "3", "name": "=Room"})
    assert answer.header("Location") == "/extensions/sheet"
    password = str(control.extensions["202"]["password"])
    assert password in admin.get("/extensions/sheet").text
    sheet = admin.post("/extensions/sheet/csv")
    assert "attachment" in (sheet.header("Content-Disposition") or "")
    rows = list(csv.reader(io.StringIO(sheet.body.decode("utf-8-sig"))))
    assert rows[0] == ["number", "name", "password"]
    assert rows[2] == ["202", "'=Room 202", password]
    assert len(rows) == 4
    admin.post("/extensions/sheet/put-away")
    assert admin.get("/extensions/sheet").status == 303
    assert admin.post("/extensions/sheet/csv").status == 303


def test_the_sheet_belongs_to_one_session(admin: Client, visitor: Client) -> None:
    visitor.log_in()
    admin.post("/extensions/many", {"first": "201", "count": "3"})
    assert visitor.get("/extensions/sheet").status == 303


def test_extensions_are_found_by_number_and_name(admin: Client) -> None:
    assert "Workshop" in admin.get("/extensions?q=work").text
    assert "Reception" not in admin.get("/extensions?q=work").text
    assert "Reception" in admin.get("/extensions/live?q=10").text
    assert "No extension matches" in admin.get("/extensions?q=nobody").text


def test_a_call_is_hung_up_and_one_that_has_ended_is_no_error(admin: Client, control: FakeControl) -> None:
    assert admin.post("/calls/c-7f3a/hang-up").header("Location") == "/calls"
    assert "c-7f3a" not in control.calls
    admin.post("/calls/c-7f3a/hang-up")
    assert "already ended" in admin.get("/calls").text


def test_an_emergency_call_is_marked(admin: Client, control: FakeControl) -> None:
    tag = '<span class="tag">Emergency</span>'
    assert admin.get("/records").text.count(tag) == 1
    emergency = next(each for each in control.records if each["emergency"])
    assert tag in admin.get(f"/records/{emergency['id']}").text
    assert tag not in admin.get("/calls").text
    next(iter(control.calls.values()))["emergency"] = True
    assert admin.get("/calls").text.count(tag) == 1


def test_records_are_paged_and_filtered(admin: Client, control: FakeControl) -> None:
    row = control.records[0]
    control.records = [{**row, "id": str(each), "from_number": str(each)} for each in range(120, 0, -1)]
    first = admin.get("/records").text
    assert '"number from">71' in first
    assert '"number from">70' not in first
    assert "/records?before=71" in first
    second = admin.get("/records?before=71").text
    assert '"number from">70' in second
    assert "/records?number=70" not in second
    assert '"number from">70' in admin.get("/records?number=70").text
    assert "No call found" in admin.get("/records?number=999").text


def test_the_box_is_given_a_name_a_clock_and_a_language(admin: Client, control: FakeControl) -> None:
    fields = {
        "language": "zh",
        "host_name": "office",
        "time_zone": "Asia/Shanghai",
        "ntp": "a.example, b.example",
    }
    assert admin.post("/system/general", fields).status == 303
    assert last_asked(control, "system") == ("set", None, {**fields, "ntp": ["a.example", "b.example"]})
    assert 'value="a.example b.example"' in admin.get("/system").text
    assert admin.post("/system/general", fields).status == 303
    assert "设置已保存" in admin.get("/system").text
    assert admin.post("/system/general", {**fields, "time_zone": "Mars/Base"}).status == 400
    refused = admin.post("/system/general", {**fields, "host_name": "bad host"})
    assert refused.status == 400
    assert 'value="bad host"' in refused.text


def test_a_time_zone_set_elsewhere_is_kept(admin: Client, control: FakeControl) -> None:
    control.time_zone = "Etc/GMT-8"
    assert '<option value="Etc/GMT-8" selected>' in admin.get("/system").text
    admin.post(
        "/system/general", {"language": "en", "host_name": "office", "time_zone": "Etc/GMT-8", "ntp": ""}
    )
    assert (control.host_name, control.time_zone) == ("office", "Etc/GMT-8")


def test_the_messages_of_a_call_are_shown_while_they_are_kept(admin: Client) -> None:
    assert "INVITE sip:102@192.0.2.10 SIP/2.0" in admin.get("/records/8").text
    assert "INVITE" not in admin.get("/records/7").text


def test_how_a_call_was_sent_on_is_shown(admin: Client, control: FakeControl) -> None:
    text = admin.get("/records/8").text
    assert "Sent on" in text
    assert "102 → 105" in text
    assert ">no answer<" in text
    control.records[0]["steps"].append({"by": "105", "to": "106", "why": "some-day"})
    assert ">some-day<" in admin.get("/records/8").text
    assert "Sent on" not in admin.get("/records/7").text


def test_times_are_those_of_the_box(admin: Client, control: FakeControl) -> None:
    control.records = [{**control.records[0], "started_at": "2026-01-31T20:00:00Z"}]
    control.time_zone = "Asia/Shanghai"
    assert "2026-02-01 04:00:00" in admin.get("/records").text


def test_a_visitor_by_ipv4_is_the_same_on_a_socket_of_both_families(
    visitor: Client, control: FakeControl
) -> None:
    visitor.source = "::ffff:192.0.2.9"
    visitor.get("/log-in")
    visitor.post("/log-in", {"password": "not it"})
    assert control.asked[-1][4] == "web:192.0.2.9"


AUTOMATIC = {"mode": "dhcp", "ipv6": "automatic", "link": "cable"}
STATIC = {
    "mode": "static",
    "address": "192.0.2.5",
    "prefix": "24",
    "gateway": "192.0.2.1",
    "dns": "192.0.2.1, 192.0.2.2",
    "ipv6": "off",
    "link": "cable",
    "vlan": "7",
}


def test_the_network_is_fixed_or_automatic(admin: Client, control: FakeControl) -> None:
    assert admin.post("/system/network", STATIC).status == 303
    asked = last_asked(control, "system")[2]
    assert asked == {
        "network": "static",
        "address": "192.0.2.5",
        "prefix": 24,
        "gateway": "192.0.2.1",
        "dns": ["192.0.2.1", "192.0.2.2"],
        "ipv6": "off",
        "link": "cable",
        "vlan": 7,
    }
    assert "saved" in admin.get("/system").text
    assert 'value="192.0.2.1 192.0.2.2"' in admin.get("/system").text
    assert admin.post("/system/network", {**STATIC, "prefix": "99"}).status == 400
    admin.post("/system/network", AUTOMATIC)
    automatic = {"network": "dhcp", "ipv6": "automatic", "link": "cable", "vlan": 0}
    assert last_asked(control, "system")[2] == automatic


def test_a_fixed_ipv6_address_and_wifi(admin: Client, control: FakeControl) -> None:
    wifi = {"mode": "dhcp", "link": "wifi", "wifi_ssid": "office", "wifi_country": "cn"}
    ipv6 = {"ipv6": "static", "address6": "2001:db8::5", "prefix6": "64", "gateway6": "", "dns": ""}
    assert admin.post("/system/network", {**wifi, **ipv6, "wifi_password": "correct horse"}).status == 303
    asked = last_asked(control, "system")[2]
    assert (asked["address6"], asked["prefix6"], asked["dns"]) == ("2001:db8::5", 64, [])
    assert (asked["wifi_country"], asked["wifi_password"], asked["vlan"]) == ("CN", "correct horse", 0)
    page = admin.get("/system").text
    assert "correct horse" not in page
    assert "it stays as it is" in page
    # An empty passphrase stays; a short one is refused and not shown again.
    admin.post("/system/network", {**wifi, **ipv6})
    assert "wifi_password" not in last_asked(control, "system")[2]
    refused = admin.post("/system/network", {**wifi, **ipv6, "wifi_password": "shorty7"})
    assert refused.status == 400
    assert "shorty7" not in refused.text


def test_a_network_on_trial_is_on_every_page_until_it_is_kept(admin: Client, control: FakeControl) -> None:
    assert "network-trial" not in admin.get("/").text
    control.on_board = True
    admin.post("/system/network", STATIC)
    for path in ("/", "/extensions", "/system", "/about"):
        page = admin.get(path).text
        assert "117 s left" in page
        assert 'href="https://192.0.2.5/system"' in page
    assert "saved" not in admin.get("/system").text
    live = admin.get("/system/network/trial", **{"hx-request": "true"}).text
    assert "117 s left" in live
    assert "every 2s" in live
    assert admin.post("/system/network/keep").status == 303
    assert control.address == "192.0.2.5"
    page = admin.get("/").text
    assert "is kept" in page
    assert "s left" not in page
    # A page that was open meanwhile is told, and asks no more.
    live = admin.get("/system/network/trial", **{"hx-request": "true"}).text
    assert "is over" in live
    assert "every" not in live


def test_a_network_on_trial_is_undone(admin: Client, control: FakeControl) -> None:
    control.on_board = True
    admin.post("/system/network", STATIC)
    assert admin.post("/system/network/undo").status == 303
    assert (control.trial, control.network) == (None, "dhcp")
    assert "as it was before" in admin.get("/").text
    admin.post("/system/network/keep")
    assert "No change is on trial" in admin.get("/").text


def test_a_factory_reset_wants_the_password_and_the_word(admin: Client, control: FakeControl) -> None:
    good = {"reset_password": "correct horse battery", "reset_word": "reset"}
    refused = admin.post("/system/reset", good)
    assert refused.status == 400
    assert "only possible on the appliance" in refused.text
    control.on_board = True
    for wrong in ({"reset_word": "yes"}, {"reset_password": "not it"}, {"reset_password": ""}):
        control.asked.clear()
        assert admin.post("/system/reset", {**good, **wrong}).status == 400
        assert not any(area == "box" for area, *_ in control.asked)
    done = admin.post("/system/reset", good)
    assert done.status == 200
    assert "The box is reset" in done.text
    assert ("box", "factory-reset", None, {}, "local:web:admin") in control.asked


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({}, "Version 0.1.0 runs."),
        ({"trial": "0.2.0"}, "0.2.0 is on trial"),
        ({"last": "0.2.0", "outcome": "kept"}, "0.2.0 has proved itself"),
        (
            {"last": "0.2.0", "outcome": "came_back", "missing": ["sip", "lines"]},
            "missing at last: sip, lines",
        ),
        ({"refused": "update.no_room", "params": {"part": "root", "size": "9", "room": "5"}}, "room for 5"),
    ],
)
def test_how_the_last_update_went(
    admin: Client, control: FakeControl, state: dict[str, Any], said: str
) -> None:
    control.update = state
    assert said in admin.get("/system").text


def test_an_update_is_asked_for_by_its_address(admin: Client, control: FakeControl) -> None:
    admin.get("/system")
    assert admin.post("/system/update", {"source": " https://example.com/a.bundle "}).status == 303
    assert ("update", "install", None, {"source": "https://example.com/a.bundle"}) in [
        each[:4] for each in control.asked
    ]
    refused = admin.post("/system/update", {"source": "nowhere"})
    assert refused.status == 400
    assert 'aria-describedby="source-error"' in refused.text


def test_the_references_of_the_dns_check(admin: Client, control: FakeControl) -> None:
    assert 'value="119.29.29.29 223.5.5.5"' in admin.get("/system").text
    assert admin.post("/system/dns", {"dns_references": "192.0.2.53, [::1]:5353"}).status == 303
    assert last_asked(control, "system")[2] == {"dns_references": ["192.0.2.53", "[::1]:5353"]}
    assert 'value="192.0.2.53 [::1]:5353"' in admin.get("/system").text
    assert admin.post("/system/dns", {"dns_references": "x" * 301}).status == 400
    refused = admin.post("/system/dns", {"dns_references": "dns.example"})
    assert refused.status == 400
    assert 'aria-describedby="dns_references-error"' in refused.text


def test_a_name_is_checked(admin: Client, control: FakeControl) -> None:
    admin.get("/system/dns-check")
    told = admin.post("/system/dns-check", {"name": " sip.example "})
    assert told.status == 200
    assert ("dns-check", "show", "sip.example", {}, "web:admin") in control.asked
    for words in ("Blocked: ", "Give the box another name server", "203.0.113.7", "no such name", "silent"):
        assert words in told.text
    for wrong in ("", "no name"):
        refused = admin.post("/system/dns-check", {"name": wrong})
        assert refused.status == 400
        assert 'aria-describedby="name-error"' in refused.text
    assert "Found by itself" not in admin.get("/system/dns-check").text
    control.dns_findings = ["trunk.example"]
    assert "trunk.example" in admin.get("/system/dns-check").text


def test_a_new_password_logs_the_others_out(admin: Client, visitor: Client, control: FakeControl) -> None:
    visitor.log_in()
    new = {"password": "another battery", "again": "another battery"}
    wrong = admin.post("/system/password", {"current": "not it", **new})
    assert wrong.status == 400
    assert 'aria-describedby="current-error"' in wrong.text
    assert admin.post("/system/password", {"current": "correct horse battery", **new}).status == 303
    assert control.password == "another battery"
    assert admin.get("/").status == 200
    assert visitor.get("/").status == 303


def test_a_token_is_shown_once_and_can_be_taken_back(admin: Client, control: FakeControl) -> None:
    page = admin.post("/system/tokens", {"name": "Prometheus"}).text
    token = control.tokens["1"]["token"]
    assert token in page
    assert token not in admin.get("/system").text
    admin.post("/system/tokens/1/remove")
    assert control.tokens == {}


def test_a_backup_is_sent_and_leaves_no_file(admin: Client, control: FakeControl) -> None:
    response = admin.post("/system/backup")
    assert response.body == b"\x1f\x8b and so on"
    assert ".tar.gz" in (response.header("Content-Disposition") or "")
    area, verb, _, values, actor = control.asked[-1]
    assert (area, verb, actor) == ("backup", "save", "local:web:admin")
    assert not Path(values["file"]).parent.exists()


def test_a_backup_is_sealed_where_a_passphrase_is_typed_twice(admin: Client, control: FakeControl) -> None:
    fields = {"passphrase": "a secret of mine", "passphrase_again": "another", "voicemail": "on"}
    refused = admin.post("/system/backup", fields)
    assert refused.status == 400
    assert "a secret of mine" not in refused.text
    assert admin.post("/system/backup", {"passphrase": "short", "passphrase_again": "short"}).status == 400
    sealed = admin.post("/system/backup", {**fields, "passphrase_again": "a secret of mine"})
    assert ".sealed" in (sealed.header("Content-Disposition") or "")
    values = control.asked[-1][3]
    assert (values["passphrase"], values["voicemail"]) == ("a secret of mine", True)
    assert not Path(values["file"]).parent.exists()


def test_backups_by_themselves(admin: Client, control: FakeControl) -> None:
    form = admin.get("/system/backup-schedule").text
    assert 'name="every"' in form
    assert "Every week" in form
    fields = {"every": "week", "at": "03:00", "weekday": "sun", "to": "usb", "keep": "5", "voicemail": "on"}
    assert admin.post("/system/backup-schedule", fields).header("Location") == "/system#backup"
    asked = last_asked(control, "backup-schedule")[2]
    assert (asked["every"], asked["keep"], asked["recordings"]) == ("week", 5, False)
    assert "passphrase" not in asked, "an empty field leaves it"
    assert admin.post("/system/backup-schedule", {**fields, "at": "25:00"}).status == 400
    control.backup_schedule |= {"problem": "error.no_stick", "problem_params": {"name": "branchbox-backup"}}
    assert "No USB stick with a folder" in admin.get("/system").text
    assert admin.post("/system/backup-schedule/run").status == 303
    assert "/data/backups/new.tar.gz" in admin.get("/system").text


def sent(admin: Client, content: bytes, **fields: str) -> Response:
    """A form with a file."""
    parts = {"csrf": admin.token, **fields}
    body = "".join(
        f'--B\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in parts.items()
    ).encode()
    name = "b" if content else ""
    head = f'--B\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    body += head.encode() + content + b"\r\n--B--\r\n"
    kind = "multipart/form-data; boundary=B"
    return admin.ask("POST", "/system/restore", body, kind, origin=f"https://{HOST}")


def test_a_restore_is_shown_before_it_is_done(admin: Client, control: FakeControl) -> None:
    assert "kept.tar.gz" in admin.get("/system/restore").text
    shown = sent(admin, b"a good one", passphrase="a secret of mine")
    assert shown.status == 200
    for words in ("old-box", "5 added, 0 removed, 7 changed", "Do not disturb", "Certificates", "a-token"):
        assert words in shown.text
    assert "a secret of mine" not in shown.text
    assert not any(verb == "restore" for _, verb, *_ in control.asked)
    assert admin.post("/system/restore/apply", {"token": "a-token"}).header("Location") == "/system#backup"
    assert "after a restart" in admin.get("/system").text
    assert control.asked[-1][0] != "backup"
    late = admin.post("/system/restore/apply", {"token": "old"})
    assert late.status == 400
    assert "no longer at hand" in late.text


def test_one_of_the_box_is_restored_by_its_name_and_no_other_file(
    admin: Client, control: FakeControl
) -> None:
    admin.get("/system/restore")
    assert "old-box" in sent(admin, b"", chosen="/data/backups/kept.tar.gz").text
    looked = [
        values["file"] for area, verb, _, values, _ in control.asked if (area, verb) == ("backup", "look")
    ]
    assert looked == ["/data/backups/kept.tar.gz"]
    admin.get("/system/restore")
    assert sent(admin, b"", chosen="/etc/shadow").status == 400
    assert "/etc/shadow" not in str(control.asked)


def test_a_restore_that_is_refused(admin: Client) -> None:
    admin.get("/system/restore")
    wrong = sent(admin, b"a good one", passphrase="wrong")
    assert wrong.status == 400
    assert 'aria-describedby="passphrase-error"' in wrong.text
    other = sent(admin, b"a picture")
    assert 'aria-describedby="backup-file-error"' in other.text
    assert admin.post("/system/restore/apply", {"token": ""}).header("Location") == "/system/restore"


def test_a_call_is_made_for_somebody(admin: Client, control: FakeControl) -> None:
    page = admin.get("/calls").text
    assert 'option value="101"' in page
    assert admin.post("/calls/dial", {"number": "101", "to": "9055512345"}).header("Location") == "/calls"
    assert last_asked(control, "calls") == ("dial", "101", {"to": "9055512345"})
    assert "101 rings, and calls 9055512345 once it answers." in admin.get("/calls").text
    for number, to, field in (("999", "102", "number"), ("101", "nobody", "to"), ("", "102", "number")):
        refused = admin.post("/calls/dial", {"number": number, "to": to})
        assert (refused.status, f'id="{field}-error"' in refused.text) == (400, True), refused.text
        assert f'value="{to}"' in refused.text


def test_updates_are_looked_for(admin: Client, control: FakeControl) -> None:
    assert 'name="address"' in admin.get("/system/update-check").text
    refused = admin.post("/system/update-check", {"address": "", "automatic": "on", "at": "03:00"})
    assert (refused.status, "address" in refused.text) == (400, True)
    values = {"address": "https://example.com/x.bundle", "automatic": "on", "at": "02:00"}
    assert admin.post("/system/update-check", values).header("Location") == "/system#update"
    assert control.update_check == {
        "address": "https://example.com/x.bundle",
        "automatic": True,
        "at": "02:00",
    }
    control.update = {"offered": "0.9.0", "seen_at": "2026-12-01T03:00:00Z"}
    assert "Version 0.9.0 is there." in admin.get("/system").text
    control.update |= {
        "offered_made_on": "2026-11-30",
        "offered_notes": {"en": "Faster.\n<Safer>.", "zh": "更快。"},
        "offered_at": "https://example.com/x.bundle",
    }
    page = admin.get("/system").text
    assert "2026-11-30" in page
    assert "Faster.\n&lt;Safer&gt;." in page
    assert '<input type="hidden" name="source" value="https://example.com/x.bundle">' in page
    control.update = {"problem": "update.not_fetched", "problem_params": {"reason": "no route"}}
    assert "no route" in admin.get("/system").text
