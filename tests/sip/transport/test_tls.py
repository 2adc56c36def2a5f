"""appliance/sip/transport/tls.py: RFC 3261 §26.3.1, against the TLS of anyio and alone."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio.streams.tls import TLSStream
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from appliance.sip.transport import connection as connection_module
from appliance.sip.transport.tls import TlsLayer
from tests.conftest import REAL_SOCKETS
from tests.sip.transport.exchange import exchange, options
from tests.sip.transport.test_tcp import no_connections, read_answer, read_end


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    return REAL_SOCKETS


@pytest.fixture(scope="module")
def contexts(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's context with a certificate of its own making, and a client's that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "pbx.example")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("pbx.example")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path: Path = tmp_path_factory.mktemp("tls") / "pbx.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(path)
    return server, ssl.create_default_context(cafile=str(path))


async def test_options_over_tls(contexts: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    server, client = contexts
    async with exchange(context=server) as it:
        stream = await anyio.connect_tcp(*it.tls)
        tls = await TLSStream.wrap(stream, hostname="pbx.example", ssl_context=client)
        await tls.send(options(transport="TLS"))
        assert (await read_answer(tls)).startswith(b"SIP/2.0 200 OK\r\n")
        # A message larger than a record, in both directions' framing.
        await tls.send(b"\r\n" * 20_000 + options(2, "TLS"))
        answers = b""
        with anyio.fail_after(5):
            while b"SIP/2.0 200" not in answers:
                answers += await tls.receive()
        await tls.aclose()
        await no_connections(it)


async def test_plain_text_to_the_tls_port_is_dropped(contexts: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    async with exchange(context=contexts[0]) as it:
        async with await anyio.connect_tcp(*it.tls) as stream:
            await stream.send(options(transport="TLS"))
            assert b"SIP/2.0" not in await read_end(stream)
        await no_connections(it)


async def test_half_a_handshake_times_out(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_module, "HALF_MESSAGE_TIME", 0.05)
    async with exchange(context=contexts[0]) as it, await anyio.connect_tcp(*it.tls) as stream:
        await stream.send(b"\x16\x03\x01")
        assert await read_end(stream) == b""
        await no_connections(it)


def test_two_layers_talk(contexts: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    server = TlsLayer(contexts[0], server_side=True)
    client = TlsLayer(contexts[1], server_side=False, server_hostname="pbx.example")
    client.send(b"said before the handshake")
    server.send(b"welcome")
    assert (client.waiting, server.waiting) == (25, 7)
    heard: list[bytes] = []
    for _ in range(4):
        heard += [server.receive(client.take()), client.receive(server.take())]
    assert server.shaken
    assert client.shaken
    assert b"".join(heard) in (b"said before the handshakewelcome", b"welcomesaid before the handshake")
    assert (client.waiting, server.waiting) == (0, 0)
    big = bytes(200_000)
    server.send(big)
    assert client.receive(server.take()) == big
    assert not client.ended
