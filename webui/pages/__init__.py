"""Every address of the console: an explicit list, so that it can be read here and frozen as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from webui.pages import (
    about,
    api,
    call_hang_up,
    calls,
    dns_check,
    extension_add,
    extension_edit,
    extension_remove,
    extensions,
    extensions_many,
    extensions_sheet,
    health,
    language,
    log_in,
    log_out,
    metrics,
    outside,
    outside_add,
    outside_dial_plan,
    outside_edit,
    outside_remove,
    outside_test,
    overview,
    record,
    records,
    registrations,
    set_up,
    system,
    system_backup,
    system_dns,
    system_general,
    system_network,
    system_password,
    system_tokens,
)

if TYPE_CHECKING:
    from webui.routes import Route

__all__ = ["ROUTES"]

ROUTES: tuple[Route, ...] = (
    *set_up.ROUTES,
    *log_in.ROUTES,
    *log_out.ROUTES,
    *language.ROUTES,
    *overview.ROUTES,
    *extensions.ROUTES,
    *extension_add.ROUTES,
    *extensions_many.ROUTES,
    *extensions_sheet.ROUTES,
    *extension_edit.ROUTES,
    *extension_remove.ROUTES,
    *outside.ROUTES,
    *outside_add.ROUTES,
    *outside_edit.ROUTES,
    *outside_remove.ROUTES,
    *outside_dial_plan.ROUTES,
    *outside_test.ROUTES,
    *registrations.ROUTES,
    *calls.ROUTES,
    *call_hang_up.ROUTES,
    *records.ROUTES,
    *record.ROUTES,
    *system.ROUTES,
    *system_general.ROUTES,
    *system_network.ROUTES,
    *system_dns.ROUTES,
    *dns_check.ROUTES,
    *system_password.ROUTES,
    *system_tokens.ROUTES,
    *system_backup.ROUTES,
    *about.ROUTES,
    *health.ROUTES,
    *metrics.ROUTES,
    *api.ROUTES,
)
