"""The parts of a running exchange, built once and tied together.

Nothing is decided in here: each line says who is told what by whom.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from appliance.call.exchange import Directory, Exchange
from appliance.call.wire import Wire
from appliance.clock import Clock
from appliance.config.config import Config
from appliance.control.control import Control
from appliance.control.parts import Parts
from appliance.diagnosis.trace import Trace
from appliance.directory import Bindings, Credentials, Registrar, registrar
from appliance.media.relay import Relay
from appliance.service.address_book import AddressBook
from appliance.sip.endpoint import Endpoint
from appliance.sip.transport.certificate_folder import CertificateFolder
from appliance.sip.transport.sockets import SocketTransports
from appliance.store import bindings as bindings_table
from appliance.store.bindings import BindingRow
from appliance.system.certificates import ensure_certificate
from appliance.system.network import reachable_addresses
from appliance.system.wanted import StaticNetwork, Wanted, write_wanted

if TYPE_CHECKING:
    from pathlib import Path

    from appliance.config.extension import Extension
    from appliance.config.system import System
    from appliance.directory import Binding, Change
    from appliance.service.options import Options
    from appliance.store.store import Store
    from appliance.system.certificates import Certificate

__all__ = ["CERTIFICATES", "Service"]

CERTIFICATES = "certs"
"The folder of the certificate and its key, below the data folder."


@dataclass(slots=True)
class Service:
    """Everything that runs. `build` listens already, so that a port that is taken is known at once."""

    store: Store
    clock: Clock
    transports: SocketTransports
    endpoint: Endpoint
    relay: Relay
    bindings: Bindings
    exchange: Exchange
    control: Control
    address_book: AddressBook
    certificate: Certificate

    @classmethod
    async def build(cls, options: Options, store: Store) -> Service:
        """All parts, tied together. ConfigError; CannotListenError when an address cannot be had."""
        config = await Config.open(store)
        certificate = _certificate(options.data, config.current.system)
        clock = Clock()
        transports = _listen(options, clock)
        try:
            return cls._tie(options, store, config, clock, transports, certificate)
        except BaseException:
            transports.close()
            raise

    @classmethod
    def _tie(
        cls,
        options: Options,
        store: Store,
        config: Config,
        clock: Clock,
        transports: SocketTransports,
        certificate: Certificate,
    ) -> Service:
        # Tags, branches and Call-IDs must not be guessed from those seen before.
        chance = random.SystemRandom()
        endpoint = Endpoint(clock, chance, transports)
        relay = Relay(options.rtp, clock, chance)
        bindings = Bindings(clock)

        def find(number: str) -> Extension | None:
            return config.current.extensions.get(number)

        def find_enabled(number: str) -> Extension | None:
            extension = find(number)
            return extension if extension is not None and extension.enabled else None

        credentials = Credentials(clock, config.current.system.realm, find_enabled)
        exchange = Exchange(
            Wire(endpoint, clock, chance, relay), Directory(find, credentials, bindings), time.time
        )
        endpoint.serve("REGISTER", Registrar(clock, credentials, bindings).receive)
        endpoint.supported |= registrar.SUPPORTED
        trace = Trace(time.time)
        endpoint.tap = trace.note
        endpoint.on_connection_lost = bindings.connection_lost
        exchange.on_dialled = trace.dialled
        address_book = AddressBook(options)
        control = Control(
            Parts(
                store=store,
                config=config,
                directory=bindings,
                exchange=exchange,
                box=address_book,
                trace=trace.of,
                now=clock.now,
            )
        )
        service = cls(
            store, clock, transports, endpoint, relay, bindings, exchange, control, address_book, certificate
        )
        service._follow(config, options.data)
        return service

    def _follow(self, config: Config, folder: Path) -> None:
        """Let news find those whom they concern."""
        feed = self.control.feed
        self.exchange.on_change = feed.changed
        self.exchange.on_record = self.store.save_record
        self.bindings.on_change(self._registration_changed)
        config.on_change(lambda snapshot: snapshot.system, lambda system: _want(folder, system))
        config.on_change(lambda snapshot: snapshot.extensions, self._forget_gone)

    def _registration_changed(self, binding: Binding, _: Change) -> None:
        rows = [BindingRow(*row) for row in self.bindings.to_rows(binding.number)]
        self.store.save_bindings(binding.number, rows)
        self.control.feed.changed()

    async def restore_registrations(self) -> None:
        """Take up who was registered before the last end."""
        self.bindings.from_rows(await self.store.run(bindings_table.load))

    def _forget_gone(self, extensions: dict[str, Extension]) -> None:
        """An extension that was removed or switched off is not registered any more."""
        for number in {binding.number for binding in self.bindings.all()}:
            extension = extensions.get(number)
            if extension is None or not extension.enabled:
                self.bindings.forget(number)


def _certificate(data: Path, system: System) -> Certificate:
    return ensure_certificate(data / CERTIFICATES, system.host_name, reachable_addresses())


def _listen(options: Options, clock: Clock) -> SocketTransports:
    certificates = CertificateFolder(options.data / CERTIFICATES)
    transports = SocketTransports(clock)
    try:
        transports.listen("udp", options.sip)
        transports.listen("tcp", options.sip)
        transports.listen("tls", options.tls, certificates)
    except BaseException:
        transports.close()
        raise
    return transports


def _want(folder: Path, system: System) -> None:
    """Tell root's part of the appliance how the box shall be called and reached."""
    static = system.network == "static"
    network = (
        StaticNetwork(system.address, system.prefix, system.gateway or None, system.dns) if static else None
    )
    write_wanted(folder, Wanted(system.host_name, system.time_zone, network))
