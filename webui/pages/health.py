"""For a watchdog or a load balancer: does the exchange answer? Says nothing else to anybody."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from webui.answer import plain
from webui.routes import Access, Route

if TYPE_CHECKING:
    from webui.answer import Answer
    from webui.visit import Visit

__all__ = ["ROUTES"]

logger = logging.getLogger(__name__)


def show(visit: Visit) -> Answer:
    try:
        visit.perform("status", "show")
    except Exception:
        logger.exception("the health check failed")
        return plain("not ok\n", 503)
    return plain("ok\n")


ROUTES = (Route("GET", "/healthz", show, Access.BEARER),)
