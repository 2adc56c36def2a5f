"""The addresses of what can be done with one line, trunk, route or setting of a service."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from webui.places import KEYED, OUTSIDE, outside, service
from webui.routes import Route

if TYPE_CHECKING:
    from collections.abc import Callable

    from webui.answer import Answer
    from webui.places import Place
    from webui.visit import Visit

__all__ = ["of_each"]


def of_each(
    action: str, show: Callable[[Place, Visit, str], Answer], save: Callable[[Place, Visit, str], Answer]
) -> tuple[Route, ...]:
    """`show` answers GET and `save` POST, below `/outside` and below `/features`."""

    def of_outside(
        area: str, handler: Callable[[Place, Visit, str], Answer], visit: Visit, name: str
    ) -> Answer:
        return handler(outside(visit, area), visit, name)

    def of_service(
        handler: Callable[[Place, Visit, str], Answer], visit: Visit, area: str, name: str
    ) -> Answer:
        return handler(service(visit, area, *KEYED), visit, name)

    handlers = (("GET", show), ("POST", save))
    return (
        *(
            Route(method, f"/outside/{area}/<name>/{action}", partial(of_outside, area, handler))
            for area in OUTSIDE
            for method, handler in handlers
        ),
        *(
            Route(method, f"/features/<area>/<name>/{action}", partial(of_service, handler))
            for method, handler in handlers
        ),
    )
