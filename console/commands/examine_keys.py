"""`radar doctor`: `[display.keys]` against the bindings that the console has."""

from __future__ import annotations

import difflib
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping

from console.commands.finding import Finding, Result

Bound = Mapping[str, frozenset[str]]
"""Keys of each binding id."""


def findings(chosen: Mapping[str, str]) -> Iterator[Finding]:
    """Ids that no binding has, and keys that two bindings share."""
    if not chosen:
        return
    pages = _pages()
    known = {id for bound in pages for id in bound}
    for id in chosen:
        if id not in known:
            yield _warning(f"{id!r} is no binding's id, so its key does nothing", _nearest(id, known))
    for key, ids in sorted(_shared(pages, chosen).items()):
        yield _warning(f"the key {key!r} has two meanings: {' and '.join(sorted(ids))}", "give one of them another key")


def _warning(words: str, fix: str) -> Finding:
    return Finding("configuration", "display.keys", Result.WARNING, words, fix)


def _nearest(id: str, known: set[str]) -> str:
    near = difflib.get_close_matches(id, known, n=1)
    return f"did you mean {near[0]}?" if near else f"remove it; there are: {', '.join(sorted(known))}"


_NAMES = {
    "solidus": "slash",
    "reverse_solidus": "backslash",
    "commercial_at": "at",
    "hyphen_minus": "minus",
    "plus_sign": "plus",
    "low_line": "underscore",
}


def _name(key: str) -> str:
    """A key as terminals' input is named: `question_mark` for `?`."""
    bare = key.strip()
    if len(bare) != 1 or bare.isalnum():
        return bare
    name = unicodedata.name(bare, bare).lower().replace("-", "_").replace(" ", "_")
    return _NAMES.get(name, name)


def _shared(pages: list[Bound], chosen: Mapping[str, str]) -> Mapping[str, set[str]]:
    """Keys that mean two things at once on some page, and one of them by choice; with the ids."""
    found: dict[str, set[str]] = defaultdict(set)
    for bound in pages:
        by_key: dict[str, set[str]] = defaultdict(set)
        for id, keys in bound.items():
            for key in map(_name, chosen[id].split(",")) if id in chosen else keys:
                by_key[key].add(id)
        for key, ids in by_key.items():
            if len(ids) > 1 and ids & chosen.keys():
                found[key] |= ids
    return found


def _pages() -> list[Bound]:
    """What is bound on each page, with what the console binds on all of them."""
    from console.app import bindings  # textual: only where keys are chosen

    return [{id: frozenset(map(_name, keys.split(","))) for id, keys in bound.items()} for bound in bindings()]
