"""Which texts of an environment's settings are secret, and how they are taken out of other texts."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from urllib.parse import urlsplit

from console.model.configuration import Secret

HIDDEN = "(hidden)"
SHORTEST = 6
"""A secret shorter than this is not searched for in texts: it would be found everywhere."""
TOKEN_LENGTH = 16
"""Shorter parts of a URL are words, not tokens."""


def secrets_of(value: object, path: str = "") -> Iterator[tuple[str, Secret]]:
    """(dotted key, secret) of everything secret in the settings of an environment."""
    if isinstance(value, Secret):
        yield path, value
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            yield from secrets_of(getattr(value, field.name), f"{path}.{field.name}".lstrip("."))
    elif isinstance(value, tuple):
        for position, part in enumerate(value):
            yield from secrets_of(part, f"{path}.{position}")


def secret_texts(*values: object) -> list[str]:
    """Every text that must not be shown, the longest first: secrets, passwords and tokens in their URLs. Those that
    the service account holds are not known here."""
    found = [secret.reveal() for value in values for _, secret in secrets_of(value) if not secret.withheld]
    parts = [part for text in found for part in (_password(text), _end_of_url(text)) if part]
    return sorted({text for text in (*found, *parts) if len(text) >= SHORTEST}, key=len, reverse=True)


def hidden(typed: str, written: str) -> bool:
    """Whether something was taken out of what a person typed before it went on record."""
    return written.count(HIDDEN) > typed.count(HIDDEN)


HIDDEN_WORDS = f"a secret of the settings stood in it: on record it is {HIDDEN}"


class Concealer:
    """Takes the secrets of these settings out of a text that people or other systems gave, JSON included."""

    def __init__(self, *values: object) -> None:
        texts = secret_texts(*values)
        # In JSON a secret with quotes, backslashes or letters beyond ASCII is written otherwise.
        self._texts = list(dict.fromkeys(form for text in texts for form in (text, json.dumps(text)[1:-1])))

    def __call__(self, text: str) -> str:
        """`text` without them."""
        for secret in self._texts:
            text = text.replace(secret, HIDDEN)
        return text


def _password(text: str) -> str | None:
    try:
        return urlsplit(text).password
    except ValueError:
        return None


def _end_of_url(text: str) -> str | None:
    """The part of a webhook's address that makes it a secret: its last, where that is long."""
    if not text.startswith(("https://", "http://")):
        return None
    end = text.partition("?")[0].rstrip("/").rpartition("/")[2]
    return end if len(end) >= TOKEN_LENGTH else None
