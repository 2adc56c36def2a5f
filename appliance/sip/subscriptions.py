"""The notifier: what peers may subscribe to here, and everybody who has.

RFC 6665 §4.2, §4.4; RFC 3261 §8.2.3 (Accept).
"""

from __future__ import annotations

__all__ = ["MAX_PER_SUBSCRIBER", "MAX_SUBSCRIPTIONS", "EventPackage", "Notifier"]

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Protocol
from urllib.parse import quote

from appliance.errors import PeerError
from appliance.sip.dialog import Dialog
from appliance.sip.dialog.notifier import NotifierUsage
from appliance.sip.dialog.subscription import Usages
from appliance.sip.inspection import wants_sips
from appliance.sip.live_notifier import Content, LiveNotifier
from appliance.sip.message import Event, Uri
from appliance.sip.transport.own_address import USER_MARKS

if TYPE_CHECKING:
    from collections.abc import Callable

    from appliance.sip.dialog import DialogId
    from appliance.sip.dialog.subscription import Lifetime
    from appliance.sip.endpoint import Endpoint, ServerTransaction
    from appliance.sip.message import Request
    from appliance.sip.transport.flow import Flow

    FindFlow = Callable[[str, Uri, float], Flow | None]

MAX_SUBSCRIPTIONS = 8192
"In all, at some 4 kB each: 200 phones with 40 lamps each, within 32 MB of the smallest board's memory."
MAX_PER_SUBSCRIBER = 256
"Of one extension: a phone with two side cars has some 120 lamps, and after a restart asks for them anew."
RETRY_AFTER = "60"
"Seconds after which one may ask again when there were too many: what a phone forgot expires by and by."
SLICE = 20
"How many NOTIFYs go out at a time for one change. They take some 4 ms, more on a small board, and calls wait meanwhile."
SLICE_PAUSE = 0.02
"Seconds until the next so many: 400 phones, all with a lamp for one number, know of it within half a second."
RESTART = 10
"Seconds after which one shall come back when the exchange ends: it may end for three and starts in about five."


def _nowhere_else(_subscriber: str, _contact: Uri, _since: float) -> None:
    return None


class EventPackage(Protocol):
    """Something that one may subscribe to; a feature offers it."""

    name: str
    "The event type, such as `dialog`."
    content_type: str
    "The media type of what NOTIFYs say."
    lifetime: Lifetime
    pace: float
    "The seconds from a NOTIFY to the next that only tells of a change, at least; 0: as they come."

    def accept(self, subscriber: str, resource: Uri) -> Callable[[bool], bytes]:
        """Let extension `subscriber` watch the number in `resource`, which it asked for. PeerError when it may not.

        What it returns is called once for each NOTIFY of this subscription, in their order, at the moment it goes
        out, and says the body: everything (True), or at least what changed since the last one (False).
        """


class Notifier:
    """Everybody who is subscribed to something here."""

    def __init__(
        self,
        endpoint: Endpoint,
        identify: Callable[[ServerTransaction], str],
        find_flow: FindFlow = _nowhere_else,
    ) -> None:
        """`find_flow` knows where an extension's phone of that Contact is, if it has moved there since so many seconds."""
        self._find_flow = find_flow
        self._closing = False
        self._endpoint = endpoint
        self._identify = identify  # the extension a request proves to come from; PeerError 401 otherwise
        self._packages: dict[str, EventPackage] = {}
        self._subscriptions: set[_Subscription] = set()
        self._watchers: dict[
            tuple[str, str], dict[_Subscription, None]
        ] = {}  # in the order in which they came
        self._counts: Counter[str] = Counter()
        self._shared: dict[DialogId, Usages[_Subscription]] = {}  # in dialogs that are somebody else's
        endpoint.serve("SUBSCRIBE", self._receive)

    def __len__(self) -> int:
        return len(self._subscriptions)

    def serve(self, package: EventPackage) -> None:
        """Take subscriptions to this package from now on."""
        self._packages[package.name] = package
        self._endpoint.events.add(package.name)

    def is_watched(self, package: str, resource: str) -> bool:
        """Whether anybody watches this number."""
        return (package, resource) in self._watchers

    def notify(self, package: str, resource: str) -> None:
        """What this number is to the package has changed: tell everybody who watches it."""
        self._tell(list(self._watchers.get((package, resource), ())))

    def _tell(self, watchers: list[_Subscription]) -> None:
        for subscription in watchers[:SLICE]:
            subscription.live.changed()
        if len(watchers) > SLICE:
            self._endpoint.timers.after(SLICE_PAUSE, partial(self._tell, watchers[SLICE:]))

    def terminate(self, package: str, resource: str, reason: str) -> None:
        """End all subscriptions to this number, for a reason of §4.1.3: `noresource` when it is gone."""
        for subscription in list(self._watchers.get((package, resource), ())):
            subscription.live.terminate(reason)

    def dismiss(self, subscriber: str) -> None:
        """End all subscriptions of an extension that there is no more: §4.1.3 `rejected`, it shall not come back."""
        for subscription in [each for each in self._subscriptions if each.subscriber == subscriber]:
            subscription.live.terminate("rejected")

    def shut_down(self) -> None:
        """End all subscriptions, and take none: §4.1.3 `probation`, the subscribers shall come back to the next process."""
        self._closing = True
        for subscription in list(self._subscriptions):
            subscription.live.terminate("probation", RESTART)

    def identify(self, transaction: ServerTransaction) -> str:
        """The extension that a request proves to come from. PeerError 401 otherwise."""
        return self._identify(transaction)

    def receive_within(self, transaction: ServerTransaction, dialog: Dialog) -> None:
        """A SUBSCRIBE in a dialog that is somebody else's, a call's, who has checked its CSeq (§4.5.2). PeerError."""
        shared = self._shared.setdefault(dialog.id, Usages())
        try:
            known = shared.get(_event_of(transaction.request))
            if known is None:
                self._begin(transaction, dialog, shared)
            else:
                known.subscribe(transaction)
        finally:
            self._tidy(dialog.id)

    def leave(self, dialog: Dialog) -> None:
        """That dialog is over, and what is subscribed to in it."""
        shared = self._shared.get(dialog.id)
        for subscription in shared.all() if shared is not None else ():
            subscription.live.terminate("noresource")

    def _tidy(self, dialog_id: DialogId) -> None:
        if not len(self._shared.get(dialog_id, ())):
            self._shared.pop(dialog_id, None)

    def _receive(self, transaction: ServerTransaction) -> None:
        self._begin(transaction)

    def _begin(
        self,
        transaction: ServerTransaction,
        dialog: Dialog | None = None,
        shared: Usages[_Subscription] | None = None,
    ) -> None:
        """A new subscription, in the dialog that its SUBSCRIBE makes or in the one that it came in."""
        request = transaction.request
        subscriber = self._identify(transaction)
        event, package = self._package_of(request)
        _check_accept(request, package.content_type)
        self._check_room(subscriber)
        usage = NotifierUsage(package.lifetime, pace=package.pace)
        effects = usage.subscribe(request.expires, self._endpoint.timers.now())
        flow = transaction.flow
        resource = _resource(request.uri, flow)
        number = resource.number or ""
        content = Content(package.content_type, package.accept(subscriber, resource))
        if dialog is None:
            contact = self._endpoint.contact(flow, number, secure=wants_sips(request))
            dialog = Dialog.of_uas(request, transaction.tag, contact)
            dialog.confirm()
        live = LiveNotifier(self._endpoint, dialog, flow, usage, event, content)
        live.find_flow = partial(self._find_moved, subscriber, dialog)
        self._add(_Subscription(self, live, subscriber, (event.package, number)), shared)
        live.run(effects, transaction)

    def _find_moved(self, subscriber: str, dialog: Dialog, since: float) -> Flow | None:
        return self._find_flow(subscriber, Uri.parse(dialog.target), since)

    def _package_of(self, request: Request) -> tuple[Event, EventPackage]:
        event = _event_of(request)
        package = self._packages.get(event.package) if event is not None else None
        if event is None or package is None:
            # §4.2.1.1: with the ones that there are.
            raise PeerError(489, "Bad Event", self._endpoint.allow_events)
        return event, package

    def _check_room(self, subscriber: str) -> None:
        if self._closing:
            raise PeerError(503, "Service Unavailable", (("Retry-After", str(RESTART)),))
        full = len(self._subscriptions) >= MAX_SUBSCRIPTIONS
        if full or self._counts[subscriber] >= MAX_PER_SUBSCRIBER:
            raise PeerError(503, "Too Many Subscriptions", (("Retry-After", RETRY_AFTER),))

    def _add(self, subscription: _Subscription, shared: Usages[_Subscription] | None) -> None:
        live = subscription.live
        if shared is None:
            self._endpoint.add_dialog(live.dialog.id, subscription)
        else:
            shared.add(live.event, subscription)
        self._subscriptions.add(subscription)
        self._watchers.setdefault(subscription.watched, {})[subscription] = None
        self._counts[subscription.subscriber] += 1
        live.on_ended = partial(self._remove, subscription, shared)

    def _remove(self, subscription: _Subscription, shared: Usages[_Subscription] | None) -> None:
        self._subscriptions.discard(subscription)
        watchers = self._watchers[subscription.watched]
        del watchers[subscription]
        if not watchers:
            del self._watchers[subscription.watched]
        self._counts[subscription.subscriber] -= 1
        if not self._counts[subscription.subscriber]:
            del self._counts[subscription.subscriber]
        live = subscription.live
        if shared is None:
            self._endpoint.remove_dialog(live.dialog.id)
        else:
            shared.remove(live.event)
            self._tidy(live.dialog.id)


class _Subscription:
    """One of them, as the user of its dialog."""

    def __init__(
        self, notifier: Notifier, live: LiveNotifier, subscriber: str, watched: tuple[str, str]
    ) -> None:
        self._notifier = notifier
        self.live = live
        self.subscriber = subscriber
        self.watched = watched

    def receive(self, transaction: ServerTransaction) -> None:
        """A request in the dialog: a refresh, or the wish to end it."""
        request = transaction.request
        if request.method != "SUBSCRIBE":
            raise PeerError(405, "Method Not Allowed", (("Allow", "SUBSCRIBE"),))
        self._identify(transaction)
        event = _event_of(request)
        if event is None or event.key != self.live.event.key:
            # §4.5.2: another subscription belongs into a dialog of its own.
            raise PeerError(481, "Subscription Does Not Exist")
        self.live.dialog.receive_request(request)
        self.live.subscribe(transaction)

    def subscribe(self, transaction: ServerTransaction) -> None:
        """The same in a dialog that is somebody else's."""
        self._identify(transaction)
        self.live.subscribe(transaction)

    def _identify(self, transaction: ServerTransaction) -> None:
        # Whoever heard the tags could end other people's subscriptions.
        if self._notifier.identify(transaction) != self.subscriber:
            raise PeerError(403, "Forbidden")

    def receive_ack(self, ack: Request) -> None:
        """There is no INVITE in this dialog."""


def _resource(text: str, flow: Flow) -> Uri:
    """What a SUBSCRIBE asks for, without anything that is not its name: it stands in NOTIFYs to this subscriber."""
    uri = Uri.parse(text)
    if uri.is_sip:
        return Uri(uri.scheme, uri.user, None, uri.host, uri.port)
    return Uri.sip(quote(uri.number or "", safe=USER_MARKS), *flow.local)


def _event_of(request: Request) -> Event | None:
    value = request.headers.get("Event")
    return None if value is None else Event.parse(value)


def _check_accept(request: Request, content_type: str) -> None:
    """PeerError 406 when the subscriber could not read what we would tell it."""
    if "Accept" not in request.headers:
        return  # §4.1.2.1: then it takes the package's usual type
    media = content_type.partition("/")[0]
    ranges = {text.partition(";")[0].strip(" \t").lower() for text in request.tokens("Accept")}
    if ranges.isdisjoint({content_type, f"{media}/*", "*/*"}):
        raise PeerError(406, "Not Acceptable", (("Accept", content_type),))
