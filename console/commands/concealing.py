"""No command prints a secret of the settings it has read, whoever said it: an answer can quote the URL or the token
that it was asked with. Here, since a command shows what many parts were told, and one of them forgets."""

from __future__ import annotations

from typing import Any

from console.model.configuration import Settings
from console.model.secrets import Concealer
from console.settings import SettingsError


class _Known:
    """What this process must not print."""

    def __init__(self) -> None:
        self._settings: Settings | None = None
        self._conceal: Concealer | None = None

    def take(self, settings: Settings) -> None:
        """These are the settings."""
        self._settings, self._conceal = settings, None

    @property
    def conceal(self) -> Concealer:
        """Made with the first text that is printed: a console prints none."""
        if self._conceal is None:
            self._conceal = Concealer(*_parts(self._settings))
        return self._conceal


_known = _Known()


def _parts(settings: Settings | None) -> tuple[object, ...]:
    if settings is None:
        return ()
    try:
        return settings.environment, settings.operations()
    except SettingsError:  # what cannot be read was sent to nobody
        return (settings.environment,)


def conceal_for(settings: Settings) -> None:
    """From now on the secrets of these settings are not printed."""
    _known.take(settings)


def concealed(text: str) -> str:
    """A text without them."""
    return _known.conceal(text)


def concealed_document(content: Any) -> Any:
    """A document without them."""
    return _known.conceal.of(content)
