"""Jinja templates: found inside the package (frozen too), escaped always, with the words at hand."""

from __future__ import annotations

from functools import partial
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FunctionLoader, StrictUndefined

from appliance.errors import BranchboxError
from webui import moments, words
from webui.visit import path_to

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import tzinfo

    from webui.assets import Assets
    from webui.visit import Visit

__all__ = ["Templates"]


class Templates:
    """All templates of `webui/templates`, each compiled when first used."""

    def __init__(self, assets: Assets) -> None:
        self._environment = Environment(
            loader=FunctionLoader(_load),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.globals.update(asset=assets.url, path_to=path_to)
        self._environment.filters.update(
            clock=moments.clock_text, since=moments.seconds_since, bytes=_bytes_text, thousands=_thousands
        )

    def draw(self, name: str, visit: Visit, values: dict[str, Any]) -> str:
        """The text of a template for one reader."""
        language = visit.language
        time_zone = _LazyZone(visit)
        return self._environment.get_template(name).render(
            visit=visit,
            lang=language,
            say=visit.say,
            say_or_none=lambda key, **params: words.say_or_none(key, language, **params),
            moment=lambda iso: moments.moment_text(iso, time_zone()),
            span=partial(moments.span_text, language=language),
            network_trial=partial(_network_trial, visit),
            notice=visit.session.take_notice() if visit.session and ".part." not in name else None,
            **values,
        )


class _LazyZone:
    """The box's time zone, asked for at most once a page and only by a page that shows a time."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self._zone: tzinfo | None = None

    def __call__(self) -> tzinfo:
        if self._zone is None:
            try:
                name = self._visit.perform("system", "show").get("time_zone", "UTC")
            except BranchboxError:
                name = "UTC"
            self._zone = moments.zone(str(name))
        return self._zone


def _network_trial(visit: Visit) -> Mapping[str, Any] | None:
    """The network that is on trial; None without one, or where control does not tell."""
    try:
        trial: Mapping[str, Any] | None = visit.perform("system", "show").get("trial")
    except BranchboxError:
        return None
    return trial


def _load(name: str) -> str:
    return files("webui").joinpath("templates", name).read_text(encoding="utf-8")


def _bytes_text(count: float) -> str:
    """`12.3 GB`: decimal units, as on a card's label."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def _thousands(count: int) -> str:
    return f"{count:,}"
