"""Keys as people write them, and the table of all that are in force on a page."""

from __future__ import annotations

from textual.keys import KEY_TO_UNICODE_NAME, REPLACED_KEYS
from textual.screen import Screen

Entry = tuple[str, str, str]
"""Binding id, keys as people write them, what it does."""

_KEYS_ONLY = ("list.", "app.back", "app.palette", "app.stay")

_NAMES = {
    "escape": "esc",
    "pagedown": "pgdn",
    "pageup": "pgup",
    "question_mark": "?",
    "at": "@",
    "full_stop": ".",
    "comma": ",",
    "colon": ":",
    "slash": "/",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
}


def key_words(key: str) -> str:
    """One key: `?` for `question_mark`, `ctrl+d` as it is."""
    *modifiers, name = key.split("+")
    return "+".join([*modifiers, _NAMES.get(name) or _character(name)])


def _character(name: str) -> str:
    """The sign of a key that is named after it, else the name."""
    import unicodedata

    unicode_name = KEY_TO_UNICODE_NAME.get(REPLACED_KEYS.get(name, name), name).replace("_", " ").upper()
    try:
        sign = unicodedata.lookup(unicode_name)
    except KeyError:
        return name
    return sign if sign.isprintable() and len(name) > 1 else name


def key_table(screen: Screen[object]) -> list[Entry]:
    """`(id, keys, what it does)` of every binding in force, in the order in which they are bound."""
    found: dict[str, tuple[list[str], str]] = {}
    for key, active in screen.active_bindings.items():
        binding = active.binding
        if binding.id and binding.tooltip:
            found.setdefault(binding.id, ([], binding.tooltip))[0].append(key_words(key))
    return [(id, " ".join(keys), words) for id, (keys, words) in found.items()]


def actions(screen: Screen[object]) -> list[Entry]:
    """`(action, keys, what it does)` for the palette: screens first, without what only makes sense as a key."""
    found: dict[str, tuple[list[str], str, str]] = {}
    for key, active in screen.active_bindings.items():
        binding = active.binding
        if binding.id and binding.tooltip and not binding.id.startswith(_KEYS_ONLY):
            found.setdefault(binding.id, ([], binding.action, binding.tooltip))[0].append(key_words(key))
    order = sorted(found.items(), key=lambda item: not item[0].startswith("screen."))
    return [(action, " ".join(keys), words) for _, (keys, action, words) in order]
