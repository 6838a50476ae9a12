"""httpx without its own command, for which it would import click, rich and pygments: 45 ms of every start that asks
anything. Imported from here by whoever needs httpx."""

from __future__ import annotations

import sys

__all__ = ["httpx"]

# None makes the import fail at once, and httpx does without: it is there only where its extra is installed.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]

import httpx  # noqa: E402
