"""The secrets of an environment: kept out of words, and told apart without being told."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from console.model.configuration import Environment, Secret
from console.model.observation import Observation
from console.model.operations import Operations
from console.model.secrets import Concealer, secrets_of
from console.model.text import clean, redact

WORDS = 80
ITERATIONS = 20_000
"""Of PBKDF2 for one credential: 5 ms. What is stored is 48 bits, of which a short password cannot be guessed back
without that work for each guess; tokens are random and safe anyway."""


class Redactor:
    """Takes the environment's own secrets, and what looks like any other, out of a text."""

    def __init__(self, environment: Environment, operations: Operations | None = None) -> None:
        self._conceal = Concealer(environment, operations)

    def __call__(self, text: str, limit: int = 300) -> str:
        """`text` as one clean line without secrets."""
        return redact(clean(self._conceal(text), limit))

    def observed(self, observation: Observation) -> Observation:
        """It without them: what a system answers can quote what it was asked with. Nearly always it is as it was."""
        told = (observation.words, observation.facts, observation.volatile, [each.text for each in observation.events])
        text = json.dumps(told, ensure_ascii=False, default=str)
        if self._conceal(text) == text:
            return observation
        return dataclasses.replace(
            observation,
            words=self._conceal(observation.words),
            facts=self._conceal.of(observation.facts),
            volatile=self._conceal.of(observation.volatile),
            events=tuple(dataclasses.replace(each, text=self._conceal(each.text)) for each in observation.events),
        )


def credential_identity(secret: Secret, salt: str) -> str:
    """Twelve digits that are equal for equal credentials of one environment, from which none can be had."""
    derived = hashlib.pbkdf2_hmac("sha256", secret.reveal().encode(), f"radar/{salt}".encode(), ITERATIONS)
    return derived.hex()[:12]


@dataclasses.dataclass(frozen=True, slots=True)
class Fingerprint:
    """What a collector polls and judges by. Two with equal digests do the same and may take over from one another."""

    digest: str
    identities: Mapping[str, str]
    """Name of a setting to its value, or to the identity of a credential: what tells two apart, in words."""


_NOT_POLLED = frozenset({"label", "contacts", "links", "expose"})


def fingerprint(environment: Environment, operations: Operations | None = None) -> Fingerprint:
    """The fingerprint over targets, intervals, thresholds, rules and the identities of credentials. Of `operations`
    what is polled: the repository."""
    salt = f"{environment.name}/{environment.url}"
    identities: dict[str, str] = {}
    for value, path in ((environment, ""), (operations.github if operations else None, "github")):
        identities |= dict(_settings(value, path))
        identities |= {
            key: f"{_address(secret)} key {credential_identity(secret, salt)}".strip()
            for key, secret in secrets_of(value, path)
        }
    text = "\n".join(f"{key}={identities[key]}" for key in sorted(identities))
    return Fingerprint(hashlib.sha256(text.encode()).hexdigest()[:16], identities)


def _settings(value: object, path: str) -> Iterator[tuple[str, str]]:
    """(dotted key, text) of every plain setting that is polled or judged by; a secret is left to `secrets_of`."""
    if isinstance(value, Secret) or path in _NOT_POLLED:
        return
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            yield from _settings(getattr(value, field.name), f"{path}.{field.name}".lstrip("."))
    elif isinstance(value, tuple) and any(dataclasses.is_dataclass(part) for part in value):
        for position, part in enumerate(value):
            yield from _settings(part, f"{path}.{position}")
    elif isinstance(value, Mapping):
        yield path, _short(", ".join(f"{key}={value[key]}" for key in sorted(value)))
    elif value is not None:
        yield path, _short(", ".join(map(str, value)) if isinstance(value, tuple) else str(value))


def _short(text: str) -> str:
    """A long list by its begin and a digest: it is there to be compared, and to be read in one line."""
    digest = hashlib.sha256(text.encode()).hexdigest()[:6]
    return redact(clean(text)) if len(text) <= WORDS else f"{redact(clean(text, WORDS))} #{digest}"


def _address(secret: Secret) -> str:
    """`user@host:port/name` of a connection string, so that two databases differ in words; else nothing."""
    try:
        parts = urlsplit(secret.reveal())
        host, port = parts.hostname, parts.port
    except ValueError:
        return ""
    if not host or not parts.scheme.startswith("postgres"):
        return ""
    return clean(f"{parts.username or ''}@{host}:{port or 5432}{parts.path}", 200)
