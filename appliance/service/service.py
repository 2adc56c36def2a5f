"""The parts of a running exchange, built once and tied together.

Nothing is decided in here: each line says who is told what by whom.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from appliance.backup.restoring import recover
from appliance.call.exchange import Directory, Exchange
from appliance.call.wire import Wire
from appliance.chance import Chance
from appliance.clock import Clock
from appliance.config.config import Config
from appliance.config.server import servers_of
from appliance.control.control import Control
from appliance.control.parts import Parts
from appliance.diagnosis.dns_checks import DnsChecks
from appliance.diagnosis.sip_probe import OptionsProbe
from appliance.diagnosis.trace import Trace
from appliance.directory import Bindings, Credentials, Gruus, Registrar, registrar
from appliance.directory.gruu import SECRET_OCTETS
from appliance.errors import ConfigError
from appliance.features import settings_areas
from appliance.media.prompts import Prompts
from appliance.media.relay import Relay
from appliance.media.sounds import Sounds
from appliance.service.address_book import AddressBook
from appliance.service.amenities import furnish
from appliance.service.dns_watch import DnsWatch
from appliance.service.lessons import Lessons
from appliance.service.registrations import Registrations
from appliance.service.watching import Watching
from appliance.service.wishes import Wishes
from appliance.service.world import World
from appliance.sip.endpoint import Endpoint
from appliance.sip.subscriptions import Notifier
from appliance.sip.transport.certificate_folder import CertificateFolder
from appliance.sip.transport.sockets import SocketTransports
from appliance.store import own_secrets
from appliance.system.box import on_appliance
from appliance.system.certificates import ensure_certificate
from appliance.system.network import reachable_addresses
from appliance.system.network_watch import NetworkWatch
from appliance.system.probation import Probation

if TYPE_CHECKING:
    from pathlib import Path

    from appliance.backup.scheduler import Scheduler
    from appliance.config.extension import Extension
    from appliance.config.music import Music
    from appliance.config.snapshot import Snapshot
    from appliance.config.system import System
    from appliance.service.options import Options
    from appliance.sip.transport.flow import Flow
    from appliance.store.store import Store
    from appliance.system.certificates import Certificate
    from appliance.system.network_watch import NetworkChange
    from appliance.system.probation import Trial

__all__ = ["CERTIFICATES", "Service"]

logger = logging.getLogger(__name__)

CERTIFICATES = "certs"
"The folder of the certificate and its key, below the data folder."
PROMPTS = "prompts"
"The folder of the owner's sounds, likewise."


@dataclass(frozen=True, slots=True)
class _Network:
    """What is there before any part that uses it."""

    transports: SocketTransports
    certificate: Certificate
    folder: CertificateFolder


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
    watching: Watching
    config: Config
    dns_watch: DnsWatch
    network_watch: NetworkWatch
    sounds: Sounds
    backup_schedule: Scheduler

    @classmethod
    async def build(cls, options: Options, store: Store) -> Service:
        """All parts, tied together. ConfigError; CannotListenError when an address cannot be had."""
        await recover(store)
        config = await Config.open(store, settings_areas())
        certificate = _certificate(options.data, config.current.system)
        clock = Clock(time.monotonic)
        folder = CertificateFolder(options.data / CERTIFICATES)
        transports = _listen(options, clock, folder)
        try:
            return cls._tie(options, store, config, clock, _Network(transports, certificate, folder))
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
        network: _Network,
    ) -> Service:
        chance = Chance()
        endpoint = Endpoint(clock, chance, network.transports)
        relay = Relay(options.rtp, clock, chance)
        bindings = Bindings(clock, endpoint.flow_to)
        gruus = Gruus(bindings)
        directory = _directory(endpoint, bindings, gruus, config)
        identity = directory.identity
        notifier = Notifier(endpoint, lambda each: identity.verify(each.request), bindings.moved_to)
        wire = Wire(endpoint, clock, chance, relay, notifier)
        exchange = Exchange(wire, directory, time.time)
        watching = Watching(notifier, exchange, directory, partial(_find_enabled, config))
        bindings.on_change(lambda binding, _: watching.presence.changed(binding.number))
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
            *(store, config, bindings, exchange, address_book, trace.of),
            sounds=Sounds(options.data / PROMPTS),
            prompts=Prompts(options.data / PROMPTS),
            dns_checks=dns_checks,
            now=clock.now,
        )
        services = furnish(*(wire, exchange, config, (parts.sounds, parts.prompts), watching.lamps))
        parts.snapshots = services.snapshots
        watching.wants_no_calls = services.wants_no_calls
        wishes = Wishes(options.data)

        def network_tried(trial: Trial | None) -> None:
            wishes.try_out(trial)
            parts.feed.changed()

        # Elsewhere nobody carries out what is wanted, and there is nothing to undo.
        parts.probation = Probation(clock, network_tried) if on_appliance() else None
        control = Control(parts)
        lessons = Lessons(store, control.feed.changed)
        world = World(wire, exchange, options, lessons, control.feed.changed, network.folder)
        parts.outside = world
        parts.figures = watching.figures

        def connection_lost(flow: Flow) -> None:
            bindings.connection_lost(flow)
            world.connection_lost(flow)

        endpoint.on_connection_lost = connection_lost

        registrations = Registrations(store, bindings, control.feed.changed)
        service = cls(
            *(store, clock, network.transports, endpoint, relay, registrations, exchange, control),
            *(
                address_book,
                network.certificate,
                wishes,
                gruus,
                world,
                lessons,
                watching,
                config,
            ),
            DnsWatch(world.lines_seen, bindings.count_online, dns_checks.check_if_due),
            _network_watch(network.transports, world),
            parts.sounds,
            parts.schedule,
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

        def call_changed() -> None:
            self.control.feed.changed()
            self.watching.call_changed()

        self.exchange.on_change = call_changed
        self.exchange.on_record = self.store.save_record
        config.add_verifier(_check_servers)
        config.on_change(servers_of, self.wishes.want_servers)
        config.on_change(lambda snapshot: snapshot.system, self.wishes.want)
        config.on_change(lambda snapshot: snapshot.extensions, self.registrations.follow)
        self.sounds.on_change = self.control.feed.changed
        config.on_change(lambda snapshot: snapshot.music, self._play)
        config.on_change(lambda snapshot: snapshot.extensions, self.watching.follow)
        self.world.follow(config)

    def _play(self, music: Music) -> None:
        self.sounds.want(music.file, music.tones)


def _find_enabled(config: Config, number: str) -> Extension | None:
    extension = config.current.extensions.get(number)
    return extension if extension is not None and extension.enabled else None


def _network_watch(transports: SocketTransports, world: World) -> NetworkWatch:
    def changed(change: NetworkChange) -> None:
        transports.addresses_changed(change.gone)
        world.network_changed(change)

    return NetworkWatch(changed)


def _directory(endpoint: Endpoint, bindings: Bindings, gruus: Gruus, config: Config) -> Directory:
    """The extensions that there are, where they are, and REGISTER to say so."""

    def find(number: str) -> Extension | None:
        return config.current.extensions.get(number)

    credentials = Credentials(endpoint.timers, config.current.system.realm, partial(_find_enabled, config))
    registers = Registrar(endpoint.timers, credentials, bindings, gruus=gruus)
    endpoint.serve("REGISTER", registers.receive)
    endpoint.supported |= registrar.SUPPORTED
    return Directory(find, credentials, bindings, gruus)


def _certificate(data: Path, system: System) -> Certificate:
    return ensure_certificate(data / CERTIFICATES, system.host_name, reachable_addresses())


def _listen(options: Options, clock: Clock, certificates: CertificateFolder) -> SocketTransports:
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


def _check_servers(old: Snapshot, new: Snapshot) -> None:
    """ConfigError for further servers where nobody would start them: root waits in the image alone, for the first."""
    if servers_of(new) and servers_of(new) != servers_of(old) and not on_appliance():
        raise ConfigError("servers", "error.servers_need_image")
