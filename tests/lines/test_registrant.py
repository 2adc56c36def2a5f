"""appliance/lines/registrant.py: what goes on the wire, byte for byte. RFC 3261 §10.2; 3GPP TS 24.229 §5.1.1.2.3."""

from __future__ import annotations

import re

import pytest

from appliance.lines import Account
from appliance.sip.message.digest import ha1
from tests.lines.carrier import carrier, challenge, proven

DOMAIN = "ims.ln.chinamobile.com"
MOBILE = Account(
    name="mobile",
    server="198.51.100.20",
    port=5060,
    proxy="198.51.100.21:5065",
    domain=DOMAIN,
    account="+862412345678",
    auth_name=f"862412345678@{DOMAIN}",
    from_user="+862412345678",
    from_display="前台",
    password="secret",
    transport="udp",
    expiry=1800,
)
TELECOM = Account(
    name="telecom",
    server="198.51.100.30",
    domain="gd.ctcims.cn",
    realm="198.51.100.30",
    account="+8675512345678",
    auth_name="+8675512345678@gd.ctcims.cn",
    password="secret",
    contact_user="8675512345678",
    uri_parameter="user=phone",
    register_uri_parameter=True,
)

FIRST_OF_MOBILE = """\
REGISTER sip:ims.ln.chinamobile.com SIP/2.0
Via: SIP/2.0/UDP 192.0.2.1:5060;branch=BRANCH;rport
Route: <sip:198.51.100.21:5065;lr>
Max-Forwards: 70
From: "前台" <sip:+862412345678@ims.ln.chinamobile.com>;tag=TAG
To: <sip:+862412345678@ims.ln.chinamobile.com>
Call-ID: CALL
Expires: 1800
Supported: path
CSeq: 1 REGISTER
Contact: <sip:+862412345678@192.0.2.1:5060>
Content-Length: 0

"""
FIRST_OF_TELECOM = """\
REGISTER sip:gd.ctcims.cn;user=phone SIP/2.0
Via: SIP/2.0/UDP 192.0.2.1:5060;branch=BRANCH;rport
Max-Forwards: 70
From: <sip:+8675512345678@gd.ctcims.cn;user=phone>;tag=TAG
To: <sip:+8675512345678@gd.ctcims.cn;user=phone>
Call-ID: CALL
Expires: 3600
Supported: path
CSeq: 1 REGISTER
Contact: <sip:8675512345678@192.0.2.1:5060>
Content-Length: 0

"""


def fixed(data: bytes) -> str:
    """A message with words in place of what chance has made."""
    text = data.decode().replace("\r\n", "\n")
    text = re.sub(r"branch=[^;\n]+", "branch=BRANCH", text)
    return re.sub(r"Call-ID: \S+", "Call-ID: CALL", re.sub(r"tag=\w+", "tag=TAG", text))


@pytest.mark.parametrize(
    ("account", "text", "remote"),
    [
        (MOBILE, FIRST_OF_MOBILE, ("198.51.100.21", 5065)),
        (TELECOM, FIRST_OF_TELECOM, ("198.51.100.30", 5060)),
    ],
)
async def test_the_accounts_of_two_carriers(account: Account, text: str, remote: tuple[str, int]) -> None:
    async with carrier(account) as it:
        it.line.start()
        await it.settle()
        ((flow, data),) = it.wire.out
        assert (fixed(data), flow.remote) == (text, remote)


async def test_they_prove_who_they_are_by_their_names_for_that() -> None:
    async with carrier(MOBILE) as it:
        register = await it.start()
        await it.say(register, 401, challenge(realm=f'"{DOMAIN}"'))
        again = await it.request()
        proof = proven(again, user=f"862412345678@{DOMAIN}", password="secret")
        assert (proof.realm, proof.uri) == (DOMAIN, f"sip:{DOMAIN}")
        # The retry goes the same way: through the proxy.
        assert again.headers.get("Route") == "<sip:198.51.100.21:5065;lr>"
        assert it.flow.remote == ("198.51.100.21", 5065)
        await it.accept(again)
        assert it.status == "registered"


@pytest.mark.parametrize(("realm", "status"), [("198.51.100.30", "registered"), ("gd.ctcims.cn", "refused")])
async def test_a_realm_that_is_an_address(realm: str, status: str) -> None:
    async with carrier(TELECOM) as it:
        await it.say(await it.start(), 401, challenge(realm=f'"{realm}"'))
        if status == "registered":
            again = await it.request()
            proof = proven(again, user="+8675512345678@gd.ctcims.cn", password="secret")
            assert proof.uri == "sip:gd.ctcims.cn;user=phone"
            await it.accept(again)
        assert it.status == status


async def test_a_registrar_that_must_be_told_whom_to_challenge() -> None:
    early = Account(
        **{name: getattr(MOBILE, name) for name in MOBILE.__struct_fields__} | {"early_authorization": True}
    )
    async with carrier(early) as it:
        register = await it.start()
        assert register.headers.get("Authorization") == (
            f'Digest username="862412345678@{DOMAIN}", realm="{DOMAIN}", nonce="", uri="sip:{DOMAIN}", response=""'
        )
        await it.say(register, 401, challenge(realm=f'"{DOMAIN}"'))
        again = await it.request()
        assert len(again.headers.get_all("Authorization")) == 1
        proven(again, user=f"862412345678@{DOMAIN}", password="secret")
        await it.accept(again)


async def test_no_secret_is_shown() -> None:
    async with carrier(MOBILE) as it:
        await it.say(await it.start(), 401, challenge(realm=f'"{DOMAIN}"'))
        shown = f"{it.line!r} {it.line.account!r} {it.line.credentials!r} {it.line.state!r}"
        assert "secret" not in shown
        assert ha1("MD5", MOBILE.digest_name, DOMAIN, "secret") not in shown
