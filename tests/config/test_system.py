"""What the box's own settings may be."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.config.system import System, verify
from appliance.errors import ConfigError


def static(**settings: object) -> System:
    return msgspec.structs.replace(System(network="static", address="192.168.1.10"), **settings)


def ipv6(**settings: object) -> System:
    return msgspec.structs.replace(System(ipv6="static", address6="2001:db8::5"), **settings)


def wifi(**settings: object) -> System:
    return msgspec.structs.replace(
        System(link="wifi", wifi_ssid="office", wifi_password="correct horse"), **settings
    )


def test_what_else_a_network_may_be() -> None:
    verify(ipv6(gateway6="fe80::1"))
    verify(ipv6(gateway6="2001:db8::1", prefix6=127, address6="2001:db8::0"))
    verify(System(vlan=1))
    verify(System(vlan=4094, ipv6="off"))
    verify(wifi(wifi_ssid="办公室", wifi_password='"#;=\\ ' + "x" * 57, wifi_country="CN"))
    verify(System(ntp=("pool.ntp.org", "192.0.2.123", "2001:db8::123")))


def test_a_new_box_is_good() -> None:
    verify(System())


@pytest.mark.parametrize(
    ("system", "path", "key"),
    [
        (System(host_name=""), "host_name", "error.bad_host_name"),
        (System(host_name="-box"), "host_name", "error.bad_host_name"),
        (System(host_name="a.b"), "host_name", "error.bad_host_name"),
        (System(host_name="box\n"), "host_name", "error.bad_host_name"),
        (System(host_name="x" * 64), "host_name", "error.bad_host_name"),
        (System(time_zone="Nowhere/Land"), "time_zone", "error.unknown_time_zone"),
        (System(time_zone="../../etc/passwd"), "time_zone", "error.unknown_time_zone"),
        (System(time_zone=""), "time_zone", "error.unknown_time_zone"),
        (System(dns=("1.1.1.1",) * 4), "dns", "error.too_many"),
        (System(dns=("dns.example",)), "dns", "error.bad_address"),
        (System(dns_references=("1.1.1.1",) * 5), "dns_references", "error.too_many"),
        (System(dns_references=("1.1.1.1", "dns.example:53")), "dns_references", "error.bad_address"),
        (System(dns_references=("1.1.1.1:0",)), "dns_references", "error.bad_address"),
        (static(address=""), "address", "error.bad_address"),
        (static(address="192.168.1.256"), "address", "error.bad_address"),
        (static(address="192.168.1.0"), "address", "error.not_a_host_address"),
        (static(address="192.168.1.255"), "address", "error.not_a_host_address"),
        (static(address="127.0.0.1"), "address", "error.not_a_host_address"),
        (static(address="224.0.0.5"), "address", "error.not_a_host_address"),
        (static(prefix=31), "prefix", "error.out_of_range"),
        (static(prefix=7), "prefix", "error.out_of_range"),
        (static(gateway="10.0.0.1"), "gateway", "error.gateway_outside"),
        (static(gateway="192.168.1.10"), "gateway", "error.gateway_outside"),
        (static(gateway="router"), "gateway", "error.bad_address"),
        (static(gateway="192.168.1.255"), "gateway", "error.gateway_outside"),
        (ipv6(address6=""), "address6", "error.bad_address"),
        (ipv6(address6="192.0.2.1"), "address6", "error.bad_address"),
        (ipv6(address6="fe80::1"), "address6", "error.not_a_host_address"),
        (ipv6(address6="ff02::1"), "address6", "error.not_a_host_address"),
        (ipv6(address6="::1"), "address6", "error.not_a_host_address"),
        (ipv6(address6="2001:db8::5%eth0"), "address6", "error.bad_address"),
        (ipv6(prefix6=128), "prefix6", "error.out_of_range"),
        (ipv6(gateway6="2001:db8:1::1"), "gateway6", "error.gateway_outside"),
        (ipv6(gateway6="2001:db8::5"), "gateway6", "error.gateway_outside"),
        (System(vlan=-1), "vlan", "error.out_of_range"),
        (System(vlan=4095), "vlan", "error.out_of_range"),
        (wifi(vlan=7), "vlan", "error.no_vlan_over_wifi"),
        (wifi(wifi_ssid=""), "wifi_ssid", "error.bad_ssid"),
        (wifi(wifi_ssid="网" * 11), "wifi_ssid", "error.bad_ssid"),
        (wifi(wifi_ssid="a\nb"), "wifi_ssid", "error.bad_ssid"),
        (wifi(wifi_password=""), "wifi_password", "error.bad_wifi_password"),
        (wifi(wifi_password="1234567"), "wifi_password", "error.bad_wifi_password"),
        (wifi(wifi_password="x" * 64), "wifi_password", "error.bad_wifi_password"),
        (wifi(wifi_password="密码密码密码密码"), "wifi_password", "error.bad_wifi_password"),
        (wifi(wifi_country="cn"), "wifi_country", "error.bad_country"),
        (System(ntp=("a", "b", "c", "d", "e")), "ntp", "error.too_many"),
        (System(ntp=("-x",)), "ntp", "error.bad_ntp_server"),
        (System(ntp=("a b",)), "ntp", "error.bad_ntp_server"),
        (System(ntp=("a\n",)), "ntp", "error.bad_ntp_server"),
        (System(ntp=("2001:db8::x",)), "ntp", "error.bad_address"),
    ],
)
def test_refused(system: System, path: str, key: str) -> None:
    with pytest.raises(ConfigError) as refused:
        verify(system)
    assert (refused.value.path, refused.value.key) == (f"system.{path}", key)


def test_a_static_network_is_good() -> None:
    verify(static(gateway="192.168.1.1", dns=("192.168.1.1", "2001:db8::53"), time_zone="Asia/Shanghai"))
    verify(static())


def test_references_may_have_ports_or_be_none() -> None:
    verify(System(dns_references=("127.0.0.1:5353", "[::1]:53", "2001:db8::53")))
    verify(System(dns_references=()))


def test_without_static_its_settings_do_not_count() -> None:
    verify(System(network="dhcp", address="nonsense", prefix=99, gateway="nonsense"))


@given(
    st.builds(
        System,
        language=st.sampled_from(["en", "zh"]),
        host_name=st.text(st.characters(exclude_categories=["Cs"]), max_size=70),
        network=st.sampled_from(["dhcp", "static"]),
        address=st.ip_addresses(v=4).map(str),
        prefix=st.integers(0, 40),
        gateway=st.ip_addresses(v=4).map(str),
        dns=st.lists(st.ip_addresses().map(str), max_size=4).map(tuple),
    )
)
def test_any_settings_survive_json_and_are_good_or_refused(system: System) -> None:
    try:
        verify(system)
    except ConfigError as refused:
        assert refused.path.startswith("system.")
    assert msgspec.json.decode(msgspec.json.encode(system), type=System) == system


def test_what_an_older_version_stored_is_read() -> None:
    assert msgspec.json.decode(b'{"language": "zh"}', type=System) == System(language="zh")
