"""The demo's faults as `radar demo fault` and the console's `:fault` use them, and which demos run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from console.demo.faults import FAULTS, DemoFault, active, set_fault
from console.model.ports import Refused

SOLE = "demo"
"""Name of the directory of a demo that was given none, while no other runs in it."""


class DemoFaults:
    """Switches the faults of the demo that runs in a directory. Waits for the demo: not for an event loop."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def list(self) -> Sequence[tuple[str, str, bool]]:
        """`(name, what it does, whether it is on)` of every fault. Raises `Refused` when no demo runs there."""
        try:
            on = active(self._directory)
        except DemoFault as error:
            raise Refused(str(error)) from None
        return [(name, words, name in on) for name, words in FAULTS.items()]

    def set(self, name: str, on: bool) -> None:
        """Switch one; returns when it is in effect. Raises `Refused` with the reason."""
        try:
            set_fault(self._directory, name, on)
        except DemoFault as error:
            raise Refused(str(error)) from None


def known() -> Sequence[tuple[str, str, bool]]:
    """Every fault, as off: for where no demo runs."""
    return [(name, words, False) for name, words in FAULTS.items()]


def answers(directory: Path) -> bool:
    """Whether a demo runs in that directory."""
    try:
        active(directory)
    except DemoFault:
        return False
    return True


def free_directory() -> Path:
    """Where a demo without `--dir` runs: always the same place, so that old ones do not pile up, unless it is taken."""
    from console.demo.stack import default_directory

    another = default_directory()
    sole = another.with_name(SOLE)
    return another if answers(sole) else sole


def running_directory() -> Path:
    """The directory of the one demo that runs without `--dir`. Raises `Refused` when none runs, or several."""
    from console.demo.stack import default_directory

    found = sorted(path for path in default_directory().parent.glob(f"{SOLE}*") if answers(path))
    if not found:
        raise Refused("no demo runs here: start one with `radar demo`, or name its directory with --dir")
    if len(found) > 1:
        raise Refused(f"several demos run: name one with --dir: {', '.join(map(str, found))}")
    return found[0]
