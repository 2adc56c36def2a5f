"""appliance/service/options.py: the contract's options, their variables and defaults, and what is refused."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from appliance.service.options import Options, add_arguments


def parse(*arguments: str, **environment: str) -> Options:
    parser = argparse.ArgumentParser(exit_on_error=False)
    add_arguments(parser, environment)
    return Options.of(parser.parse_args(arguments))


def test_the_defaults_are_the_contracts() -> None:
    assert parse() == Options(
        data=Path("./var"),
        sip=("0.0.0.0", 5060),
        tls=("0.0.0.0", 5061),
        web=("0.0.0.0", 8443),
        rtp=(30000, 34999),
    )


def test_an_option_wins_over_its_variable() -> None:
    options = parse("--sip", "[::1]:5080", BRANCHBOX_SIP="127.0.0.1:5070", BRANCHBOX_RTP="40000-40099")
    assert options.sip == ("::1", 5080)
    assert options.rtp == (40000, 40099)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--sip", "5060"),
        ("--sip", "box:5060"),
        ("--web", "127.0.0.1:70000"),
        ("--wss", "box:8089"),
        ("--wss-origins", "phone.example"),
        ("--wss-origins", "https://phone.example/path"),
        ("--dns", "dns.example:53"),
        ("--dns", "192.0.2.53"),
        ("--rtp", "30000"),
        ("--rtp", "30000-30002"),
        ("--rtp", "30001-30004"),
        ("--rtp", "80-90"),
    ],
)
def test_nonsense_is_refused_with_an_example(option: str, value: str) -> None:
    with pytest.raises(argparse.ArgumentError, match="such as"):
        parse(option, value)


def test_browsers_come_in_where_that_is_said() -> None:
    assert parse().wss is None
    options = parse("--wss", "[::]:8089", BRANCHBOX_WSS_ORIGINS="https://A.example, https://b.example:444")
    assert options.wss == ("::", 8089)
    assert options.wss_origins == ("https://a.example", "https://b.example:444")


def test_name_servers_in_place_of_the_systems() -> None:
    assert parse().dns == ()
    assert parse(BRANCHBOX_DNS="192.0.2.53:53").dns == (("192.0.2.53", 53),)
    assert parse("--dns", "192.0.2.53:53, [2001:db8::53]:5353").dns == (
        ("192.0.2.53", 53),
        ("2001:db8::53", 5353),
    )


def test_four_ports_from_an_even_one_on_are_enough_for_a_call() -> None:
    assert parse("--rtp", "30000-30003").rtp == (30000, 30003)
    assert parse("--rtp", "30001-30005").rtp == (30001, 30005)


def test_a_bad_variable_is_refused_too() -> None:
    with pytest.raises(argparse.ArgumentError, match="such as"):
        parse(BRANCHBOX_TLS="everywhere")
