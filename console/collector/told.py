"""The settings of acting and telling, as far as watching needs them: broken ones must not end the watch."""

from __future__ import annotations

import logging

from console.model.configuration import Settings
from console.model.operations import Operations
from console.settings import SettingsError

log = logging.getLogger("radar.collector")


def operations_of(settings: Settings) -> Operations:
    """What is configured; nothing of it, and a line in the log, where that cannot be used. `radar doctor` tells all."""
    try:
        return settings.operations()
    except SettingsError as error:
        log.error("a mistake in the settings, left out until it is mended: %s", error)
        return Operations()
