"""Every mistake of a configuration at once: what is wrong is taken away and the rest read again."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

from console.model.conversion import KeyPath, Misfit

MANY = 20
"""More than so many mistakes make it another file."""


def all_misfits(table: Mapping[str, Any], read: Callable[[dict[str, Any]], object]) -> tuple[Misfit, ...]:
    """The mistakes that `read` meets in `table`, in its order. It raises a `Misfit` at the first."""
    rest, found = copy.deepcopy(dict(table)), list[Misfit]()
    while len(found) < MANY:
        try:
            read(rest)
        except Misfit as misfit:
            if any(misfit.path == known.path for known in found):
                break  # it is missed now since it was taken away
            found.append(misfit)
            if not _take_away(rest, misfit.path):
                break
        else:
            break
    return tuple(found)


def _take_away(table: dict[str, Any], path: KeyPath) -> bool:
    """Remove what stands there; whether it did. Of a list the whole: other items must keep their places."""
    keys = path
    while keys and isinstance(keys[-1], int):
        keys = keys[:-1]
    holder: Any = table
    for key in keys[:-1]:
        known = isinstance(holder, dict) and key in holder
        known = known or (isinstance(holder, list) and isinstance(key, int) and key < len(holder))
        if not known:
            return False
        holder = holder[key]
    if not keys or not isinstance(holder, dict) or keys[-1] not in holder:
        return False
    del holder[keys[-1]]
    return True
