"""`branchbox run`: the exchange itself, until SIGTERM, Ctrl-C or the end of its terminal."""

from __future__ import annotations

import gc
import logging
import os
import resource
import signal
import sys
from errno import EACCES, EADDRINUSE, EADDRNOTAVAIL, ENOSPC
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
import anyio.from_thread
import anyio.to_thread

from appliance import __version__, log
from appliance.control.server import ControlServer
from appliance.errors import ConfigError
from appliance.locale import say
from appliance.locale.tongue import explain, language
from appliance.service import options as run_options
from appliance.service.address_book import at_port
from appliance.service.options import Options
from appliance.service.screen import Screen, ScreenText, screen_file
from appliance.service.service import Service
from appliance.sip.transport.listening import CannotListenError, PortInUseError
from appliance.store.store import Store
from appliance.system.certificates import fingerprint
from appliance.system.systemd import Notifier
from webui.server import AddressInUseError, ConsoleServer

if TYPE_CHECKING:
    import argparse
    from collections.abc import AsyncIterator

    from appliance.locale import Language

__all__ = ["HELP", "NAME", "add_arguments", "run"]

logger = logging.getLogger(__name__)

NAME = "run"
HELP = "run the exchange"
FAREWELL_S = 3.0
"How long the last BYEs are repeated for phones that do not answer; systemd waits longer."
FAREWELL_STEP_S = 0.05
SPOOL = "spool"
"The folder of what browsers send, below the data: an update is larger than the memory of a small board would like."
GC_THRESHOLDS = 5_000, 10, 50
"""When the garbage collector looks at young, middle and old objects. By Python's own (700, 10, 10) it took a fifth
of the CPU time at 500 REGISTERs a second; with (20,000, 20, 50) it stopped everything for 0.37 s at 400 calls a
second, with these for 0.06 s at most."""

add_arguments = run_options.add_arguments


def run(arguments: argparse.Namespace) -> int:
    """0 after a clean end; 1 when it cannot start, with the reason on standard error."""
    log.configure()
    _allow_many_files()
    options = Options.of(arguments)
    try:
        anyio.run(serve, options, backend_options={"use_uvloop": True})
    except ConfigError as error:
        return _cannot_start(explain(error, language()))
    except CannotListenError as error:
        return _cannot_start(_explain_port(error, language()))
    except AddressInUseError as error:
        return _cannot_start(_explain_console(error, options, language()))
    return 0


def _allow_many_files() -> None:
    """Every call takes four sockets: take as many files as this user may have, not just the usual 1,024."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


async def serve(options: Options) -> None:
    """Run until told to end. Raises ConfigError, CannotListenError or AddressInUseError when it cannot start."""
    # SIGHUP: the terminal was closed. Calls are to be told of that end too. An end that is asked for during the
    # start waits until all parts stand, and then all of them end in order.
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT, signal.SIGHUP) as signals:
        await _serve(options, signals)


async def _serve(options: Options, signals: AsyncIterator[signal.Signals]) -> None:
    store = await Store.open(options.data)
    try:
        service = await _built(options, store)
        await _run(options, service, signals)
    except BaseExceptionGroup as group:
        raise _sole(group) from None
    finally:
        await store.close()


async def _built(options: Options, store: Store) -> Service:
    try:
        return await Service.build(options, store)
    except OSError as error:
        # The certificate could not be made or read, or a restore not be finished.
        if error.errno == ENOSPC:
            raise ConfigError("data", "error.disk_full") from error
        file, reason = error.filename or options.data, error.strerror or str(error)
        raise ConfigError("data", "error.cannot_write", file=str(file), reason=reason) from error


def _sole(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """What ended a task group, when it was one thing: that itself."""
    sole: BaseException = group
    while isinstance(sole, BaseExceptionGroup) and len(sole.exceptions) == 1:
        sole = sole.exceptions[0]
    return sole


async def _run(options: Options, service: Service, signals: AsyncIterator[signal.Signals]) -> None:
    notifier = Notifier()
    async with anyio.create_task_group() as tasks, anyio.from_thread.BlockingPortal() as portal:
        await service.restore()
        for name, task in (
            ("clock", service.clock.run),
            ("sip", service.transports.run),
            ("media", service.relay.run),
            ("store", service.store.backlog.run),
            ("wishes", service.wishes.run),
            ("world", partial(service.world.run, service.config)),
            ("dns watch", service.dns_watch.run),
            ("network watch", service.network_watch.run),
            ("services", service.exchange.services.run),
            ("backup schedule", service.backup_schedule.run),
        ):
            tasks.start_soon(task, name=name)
        await tasks.start(ControlServer(service.control, options.data).run, name="control")
        console = _console(options, service, portal)
        await anyio.to_thread.run_sync(console.start)
        service.address_book.web = options.web[0], console.address[1]
        # What was built so far stays until the end; the collector need not look at it again and again.
        gc.collect()
        gc.freeze()
        gc.set_threshold(*GC_THRESHOLDS)
        try:
            await _announce(options, service)
            screen = _screen(service)
            notifier.ready()
            tasks.start_soon(_keep_alive, notifier, name="watchdog")
            # Not before: calculating music takes a small board a second, in which nobody would be answered.
            tasks.start_soon(service.sounds.run, name="sounds")
            tasks.start_soon(screen.run, name="screen")
            await _until_told(signals)
        finally:
            notifier.stopping()
            with anyio.CancelScope(shield=True):
                await _say_farewell(service)
                await anyio.to_thread.run_sync(console.stop)
        tasks.cancel_scope.cancel()


def _console(options: Options, service: Service, portal: anyio.from_thread.BlockingPortal) -> ConsoleServer:
    def perform(area: str, verb: str, key: str | None, values: dict[str, Any], actor: str) -> Any:
        return portal.call(partial(service.control.perform, area, verb, key, values, actor))

    return ConsoleServer(
        options.web,
        service.certificate.certificate,
        service.certificate.key,
        perform,
        describe=service.control.describe,
        spool=options.data / SPOOL,
    )


def _screen(service: Service) -> Screen:
    text = ScreenText(
        service.control,
        lambda: service.config.current.system.host_name,
        service.address_book.console_url,
        fingerprint(service.certificate.certificate),
    )
    return Screen(screen_file(), text, service.control)


async def _announce(options: Options, service: Service) -> None:
    """Tell whoever started it where it is."""
    tongue = language()
    book = service.address_book
    lines = [
        say("service.version", tongue, version=__version__),
        say("service.console", tongue, url=book.console_url()),
        say("service.fingerprint", tongue, fingerprint=fingerprint(service.certificate.certificate)),
        say("service.sip", tongue, sip=book.where(book.sip), tls=book.where(book.tls)),
        say("service.data", tongue, folder=options.data),
    ]
    code = await service.control.first_code()
    # Under systemd this goes to the journal, where no secret belongs: there the serial console shows the code.
    if code is not None and "JOURNAL_STREAM" not in os.environ:
        lines.append(say("service.set_up_code", tongue, code=code))
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


async def _keep_alive(notifier: Notifier) -> None:
    """Show systemd's watchdog that the event loop turns."""
    while notifier.watchdog_interval is not None:
        notifier.alive()
        await anyio.sleep(notifier.watchdog_interval)


async def _until_told(signals: AsyncIterator[signal.Signals]) -> None:
    async for number in signals:
        logger.info("ending on %s", signal.Signals(number).name)
        return


async def _say_farewell(service: Service) -> None:
    """Tell all calls that it is over, and give the phones a moment to agree."""
    service.watching.shut_down()
    service.exchange.shut_down()
    await service.world.leave()
    with anyio.move_on_after(FAREWELL_S):
        while service.endpoint.dialogs:  # noqa: ASYNC110  # one waiter, once in a process's life
            await anyio.sleep(FAREWELL_STEP_S)


def _explain_port(error: CannotListenError, tongue: Language) -> str:
    address = f"{at_port(error.address)} ({error.transport.upper()})"
    if isinstance(error, PortInUseError):
        return say("service.port_in_use", tongue, address=address)
    return say("service.cannot_listen", tongue, address=address, reason=error.reason)


def _explain_console(error: AddressInUseError, options: Options, tongue: Language) -> str:
    address = f"{at_port(options.web)} (HTTPS)"
    # The web server's own words hold the number as text alone.
    if os.strerror(EADDRINUSE) in str(error):
        return say("service.port_in_use", tongue, address=address)
    reasons = [reason for number in (EACCES, EADDRNOTAVAIL) if (reason := os.strerror(number)) in str(error)]
    return say("service.cannot_listen", tongue, address=address, reason=(reasons or [str(error)])[0])


def _cannot_start(reason: str) -> int:
    sys.stderr.write(say("service.failed", language(), reason=reason) + "\n")
    return 1
