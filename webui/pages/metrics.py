"""Figures for Prometheus, for whoever has a token.

Text format 0.0.4 of Prometheus. The numbers are those of `status show`; a registry of our own holds nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest

from webui.answer import Answer
from webui.bearer import NO_TOKEN, error_answer, token_of
from webui.routes import Access, Route

if TYPE_CHECKING:
    from webui.visit import Visit

__all__ = ["ROUTES"]

GAUGES = (
    ("uptime", "branchbox_uptime_seconds", "Seconds since the exchange started."),
    ("extensions", "branchbox_extensions", "Extensions that exist."),
    ("registrations", "branchbox_registrations", "Phones registered now."),
    ("calls", "branchbox_calls", "Calls going on now."),
    ("subscriptions", "branchbox_subscriptions", "Lamps and message counters that phones watch now."),
    ("free_space", "branchbox_free_space_bytes", "Octets free for data."),
)
COUNTERS = (
    ("texts", "branchbox_texts", "Text messages that a phone has taken."),
    ("texts_refused", "branchbox_texts_refused", "Text messages that no phone has taken."),
)


def show(visit: Visit) -> Answer:
    if token_of(visit) is None:
        return error_answer(NO_TOKEN, 401, visit)
    text = generate_latest(_registry(visit.perform("status", "show")))
    return Answer(text, 200, (("Content-Type", "text/plain; version=0.0.4; charset=utf-8"),))


def _registry(status: dict[str, Any]) -> CollectorRegistry:
    registry = CollectorRegistry()
    for name, metric, meaning in GAUGES:
        value = status.get(name)
        if isinstance(value, int | float):
            Gauge(metric, meaning, registry=registry).set(value)
    for name, metric, meaning in COUNTERS:
        value = status.get(name)
        if isinstance(value, int):
            Counter(metric, meaning, registry=registry).inc(value)
    refused = Counter(
        "branchbox_refused_calls",
        "Calls from outside that were not let in, by line, trunk or stranger.",
        ["by", "cause"],
        registry=registry,
    )
    for each in status.get("refused") or ():
        refused.labels(str(each["by"]), str(each["cause"])).inc(each["calls"])
    info = Gauge("branchbox_info", "Always 1; the labels tell.", ["version", "openssl"], registry=registry)
    info.labels(str(status.get("version", "")), str(status.get("openssl", ""))).set(1)
    return registry


ROUTES = (Route("GET", "/metrics", show, Access.BEARER),)
