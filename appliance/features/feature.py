"""What a supplementary service is to the rest of the exchange: a name, settings, and codes that are dialled."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from appliance.config.codes import Code

if TYPE_CHECKING:
    import msgspec

    from appliance.config.settings_area import SettingsArea

__all__ = ["Code", "Feature"]


class Feature:
    """One service. Its words are in a file of its own in `locale/words`.

    `feature.NAME` and `feature.NAME.about`; `code.NAME` of each code; `area.AREA` for each area that is not named as the
    service is; `console.AREA.SETTING` with its `..._hint` for each setting but the key of what each extension has; `live.NAME.FIELD` for each
    column of its live table.
    """

    name: ClassVar[str]
    "`do-not-disturb`; in the keys of words with _ for -."
    areas: ClassVar[tuple[SettingsArea, ...]] = ()
    codes: ClassVar[tuple[Code, ...]] = ()
    row: ClassVar[type[msgspec.Struct] | None] = None
    "Of its live table, if it has one; `since` and what ends in `_at` are moments."
