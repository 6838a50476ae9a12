"""Which texts of an environment's settings are secret, and how they are taken out of other texts."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import SplitResult, quote, quote_plus, unquote, unquote_plus, urlsplit

from console.model.configuration import Secret

HIDDEN = "(hidden)"
HIDDEN_WORDS = f"a secret of the settings stood in it: on record it is {HIDDEN}"
SHORTEST = 6
"""A secret shorter than this is not searched for in texts: it would be found everywhere."""
TOKEN_LENGTH = 16
"""Letters in one case and without a gap are a token from here on; shorter ones are a word, such as `services`."""
COMMONPLACE = frozenset({"postgres", "password", "production", "staging", "supabase", "vercel", "github"})
"""Passwords that everybody guesses, and that are names in nearly every text of ours."""

_WORD = re.compile(r"(?:[A-Z]?[a-z]{2,}|[A-Z]{2,}|[a-z]|v\d[a-z0-9]{0,6}){1,4}")
"""A word, several in camel case, a version."""
_UNSPOKEN = re.compile(r"(?i)[bcdfghjklmnpqrstvwxz]{5}")
"""So many consonants on end are in no word, or hardly one."""
_DATE = re.compile(r"\d{4}-\d\d(?:-\d\d)?")
_TELLING = re.compile(r"(?i)key|token|secret|sig|pass|pwd|auth|code|cred|hash")
"""Names in a query whose value is secret even when it looks like a word."""
_KEYWORD_PASSWORD = re.compile(r"(?:^|\s)(?:ssl)?password\s*=\s*(?:'((?:[^'\\]|\\.)*)'|(\S+))")


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
    """Every text that must not be shown, the longest first: secrets, and of those that are addresses every part that
    lets somebody in. Those that the service account holds are not known here."""
    found = [secret.reveal() for value in values for _, secret in secrets_of(value) if not secret.withheld]
    texts = (text for whole in found for text in (whole, *_parts(whole)))
    return sorted({text for text in texts if len(text) >= SHORTEST}, key=len, reverse=True)


def hidden(typed: str, written: str) -> bool:
    """Whether something was taken out of what a person typed before it went on record."""
    return written.count(HIDDEN) > typed.count(HIDDEN)


class Concealer:
    """Takes the secrets of these settings out of a text that people or other systems gave, JSON included."""

    def __init__(self, *values: object) -> None:
        forms = {form for text in secret_texts(*values) for form in _forms(text)}
        self._texts = sorted(forms, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """`text` without them, and without the beginning of one that a cut (`…`) has left."""
        for secret in self._texts:
            if secret in text:
                text = text.replace(secret, HIDDEN)
        return self._without_stubs(text) if "…" in text else text

    def of(self, value: Any) -> Any:
        """The same value, of dictionaries, lists and texts, with every text in it concealed. Keys stay."""
        if isinstance(value, str):
            return self(value)
        if isinstance(value, Mapping):
            return {key: self.of(each) for key, each in value.items()}
        return [self.of(each) for each in value] if isinstance(value, list | tuple) else value

    def _without_stubs(self, text: str) -> str:
        before, *rest = text.split("…")
        parts = [before]
        for part in rest:
            parts[-1] = self._without_stub(parts[-1])
            parts.append(part)
        return "…".join(parts)

    def _without_stub(self, text: str) -> str:
        """`text`, which was cut, without the beginning of a secret at its end."""
        for secret in self._texts:
            begins = text.rfind(secret[:SHORTEST])
            if begins >= 0 and secret.startswith(text[begins:]):
                return text[:begins] + HIDDEN
        return text


def _forms(text: str) -> Iterator[str]:
    """A secret as others write it: in JSON (PHP's too), in HTML, percent-encoded in either case, decoded."""
    for form in dict.fromkeys((text, unquote(text), unquote_plus(text))):
        encoded = (quote(form, safe=""), quote(form, safe="/"), quote(form, safe="/:?=&"), quote_plus(form))
        lower = (re.sub("%..", lambda found: found.group().lower(), each) for each in encoded)
        in_json = json.dumps(form)[1:-1]
        every = (form, in_json, in_json.replace("/", "\\/"), _in_html(form), *encoded, *lower)
        yield from (each for each in every if len(each) >= SHORTEST)


def _in_html(text: str) -> str:
    for sign, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("'", "&#x27;")):
        text = text.replace(sign, entity)
    return text


def _parts(text: str) -> Iterator[str]:
    """What of a secret lets somebody in by itself."""
    yield from (quoted or plain for quoted, plain in _KEYWORD_PASSWORD.findall(text))
    try:
        url = urlsplit(text)
        user, password = url.username or "", url.password or ""
    except ValueError:
        return
    if not url.scheme or not url.netloc:
        return
    if password not in COMMONPLACE and password != user:
        yield password
    web = url.scheme in ("http", "https")
    if web and not _is_plain(user):
        yield user  # a token as user name, as with GitHub and Stripe
    yield from _query_values(url, every=web)
    if web:
        yield from _of_path(url)


def _query_values(url: SplitResult, *, every: bool) -> Iterator[str]:
    """A web address's values but plain words and dates, which are in other texts for their own sake; of a connection
    string, whose values are settings, only those whose name says so."""
    for pair in url.query.split("&"):
        name, parted, value = pair.partition("=")
        value = value if parted else name
        told = _TELLING.search(name) is not None
        if told or (every and not _is_plain(value)):
            yield value
            yield pair


def _of_path(url: SplitResult) -> Iterator[str]:
    """The segments that no word is: any of them may be the secret, as in Slack's `/services/T0/B0/…`. The whole path is
    as good as the address; one word alone, `/hook`, is that of many others too."""
    segments = [segment for segment in url.path.split("/") if segment]
    yield from (segment for segment in segments if not _is_plain(segment))
    path = url.path.rstrip("/")
    if url.query:
        yield from (f"{path}?{url.query}", f"{url.path}?{url.query}")
    if len(segments) > 1 or not _is_plain("".join(segments)):
        yield from (path, f"{url.netloc}{path}")


def _is_plain(text: str) -> bool:
    """Whether it is made of words, as `incoming-webhooks`, `IncomingWebhook` and `v2` are: these let nobody in, and
    hidden they would tear holes into other texts."""
    chunks = [chunk for chunk in re.split("[-_.~]", unquote(text)) if chunk]
    return _DATE.fullmatch(text) is not None or all(map(_is_word, chunks))


def _is_word(chunk: str) -> bool:
    spoken = _WORD.fullmatch(chunk) is not None and _UNSPOKEN.search(chunk) is None
    return spoken and len(chunk) < TOKEN_LENGTH
