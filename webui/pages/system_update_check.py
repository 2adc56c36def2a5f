"""Where to look for updates, and whether they are taken by themselves."""

from __future__ import annotations

from webui.pages.system_part import routes_of

__all__ = ["ROUTES"]

ROUTES = routes_of("update-check", "/system#update", "console.updates.title", "console.updates.about")
