"""The parts of a running exchange, built once and tied together.

Nothing is decided in here: each line says who is told what by whom.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from appliance.call.exchange import Directory, Exchange
from appliance.call.wire import Wire
from appliance.chance import Chance
from appliance.clock import Clock
from appliance.config.config import Config
from appliance.control.control import Control
from appliance.control.parts import Parts
from appliance.diagnosis.dns_checks import DnsChecks
from appliance.diagnosis.sip_probe import OptionsProbe
from appliance.diagnosis.trace import Trace
from appliance.directory import Bindings, Credentials, Gruus, Registrar, registrar
from appliance.directory.gruu import SECRET_OCTETS
from appliance.errors import ConfigError
from appliance.media.relay import Relay
from appliance.service.address_book import AddressBook
from appliance.service.dns_watch import DnsWatch
from appliance.service.lessons import Lessons
from appliance.service.registrations import Registrations
from appliance.service.wishes import Wishes
from appliance.service.world import World
from appliance.sip.endpoint import Endpoint
from appliance.sip.transport.certificate_folder import CertificateFolder
from appliance.sip.transport.sockets import SocketTransports
from appliance.store import own_secrets
from appliance.system.certificates import ensure_certificate
from appliance.system.network import reachable_addresses

if TYPE_CHECKING:
    from pathlib import Path

    from appliance.config.extension import Extension
    from appliance.config.system import System
    from appliance.service.options import Options
    from appliance.sip.transport.flow import Flow
    from appliance.store.store import Store
    from appliance.system.certificates import Certificate

__all__ = ["CERTIFICATES", "Service"]

logger = logging.getLogger(__name__)

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
    registrations: Registrations
    exchange: Exchange
    control: Control
    address_book: AddressBook
    certificate: Certificate
    wishes: Wishes
    gruus: Gruus
    world: World
    lessons: Lessons
    config: Config
    dns_watch: DnsWatch

    @classmethod
    async def build(cls, options: Options, store: Store) -> Service:
        """All parts, tied together. ConfigError; CannotListenError when an address cannot be had."""
        config = await Config.open(store)
        certificate = _certificate(options.data, config.current.system)
        clock = Clock(time.monotonic)
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
        chance = Chance()
        endpoint = Endpoint(clock, chance, transports)
        relay = Relay(options.rtp, clock, chance)
        bindings = Bindings(clock, endpoint.flow_to)
        gruus = Gruus(bindings)
        wire = Wire(endpoint, clock, chance, relay)
        exchange = _exchange(wire, bindings, gruus, config)
        trace = Trace(time.time)
        endpoint.tap = trace.note
        exchange.on_dialled = trace.dialled
        address_book = AddressBook(options)
        dns_checks = DnsChecks(
            lambda: config.current.system.dns_reference_addresses,
            system=options.dns,  # those that calls go by
            sip=OptionsProbe(endpoint),
            now=clock.now,
        )
        parts = Parts(
            *(store, config, bindings, exchange, address_book, trace.of), dns_checks=dns_checks, now=clock.now
        )
        control = Control(parts)
        lessons = Lessons(store, control.feed.changed)
        world = World(wire, exchange, options, lessons, control.feed.changed)
        parts.outside = world

        def connection_lost(flow: Flow) -> None:
            bindings.connection_lost(flow)
            world.connection_lost(flow)

        endpoint.on_connection_lost = connection_lost
        registrations = Registrations(store, bindings, control.feed.changed)
        service = cls(
            *(store, clock, transports, endpoint, relay, registrations, exchange, control, address_book),
            *(certificate, Wishes(options.data), gruus, world, lessons, config),
            DnsWatch(world.lines_seen, bindings.count_online, dns_checks.check_if_due),
        )
        service._follow(config)
        return service

    async def restore(self) -> None:
        """Take up what the last process knew: who was registered, and what the GRUUs in their hands are made with."""
        await self.registrations.restore()
        await self.lessons.restore()
        try:
            self.gruus.keep(
                await self.store.run(partial(own_secrets.load, purpose="gruu", octets=SECRET_OCTETS))
            )
        except ConfigError as error:
            # A disk that is full: no call needs them.
            logger.warning("temporary GRUUs will end with this process: %s", error)

    def _follow(self, config: Config) -> None:
        """Let news find those whom they concern."""
        feed = self.control.feed
        self.exchange.on_change = feed.changed
        self.exchange.on_record = self.store.save_record
        config.on_change(lambda snapshot: snapshot.system, self.wishes.want)
        config.on_change(lambda snapshot: snapshot.extensions, self.registrations.follow)
        self.world.follow(config)


def _exchange(wire: Wire, bindings: Bindings, gruus: Gruus, config: Config) -> Exchange:
    """Calls and registrations on the same wire, for the extensions that there are."""

    def find(number: str) -> Extension | None:
        return config.current.extensions.get(number)

    def find_enabled(number: str) -> Extension | None:
        extension = find(number)
        return extension if extension is not None and extension.enabled else None

    credentials = Credentials(wire.timers, config.current.system.realm, find_enabled)
    registers = Registrar(wire.timers, credentials, bindings, gruus=gruus)
    wire.endpoint.serve("REGISTER", registers.receive)
    wire.endpoint.supported |= registrar.SUPPORTED
    return Exchange(wire, Directory(find, credentials, bindings, gruus), time.time)


def _certificate(data: Path, system: System) -> Certificate:
    return ensure_certificate(data / CERTIFICATES, system.host_name, reachable_addresses())


def _listen(options: Options, clock: Clock) -> SocketTransports:
    certificates = CertificateFolder(options.data / CERTIFICATES)
    transports = SocketTransports(clock)
    try:
        transports.listen("udp", options.sip)
        transports.listen("tcp", options.sip)
        transports.listen("tls", options.tls, certificates)
        if options.wss is not None:
            transports.listen("wss", options.wss, certificates, options.wss_origins)
    except BaseException:
        transports.close()
        raise
    return transports
