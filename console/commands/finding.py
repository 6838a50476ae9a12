"""What `radar doctor` says of one thing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from console.model.states import State


class Result(StrEnum):
    """How an examination ended. `OFF` is not configured: no fault."""

    WELL = "well"
    WARNING = "warning"
    FAILED = "failed"
    UNKNOWN = "unknown"
    OFF = "not configured"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing examined: what was found, and what to do about it."""

    group: str
    name: str
    result: Result
    words: str
    fix: str = ""
    system: State | None = None
    """How a system that answered is: no fault of the configuration, and not to be shown as well."""

    @property
    def state(self) -> State:
        """What it is shown as."""
        ailing = self.result is Result.WELL and self.system in (State.DEGRADED, State.UNHEALTHY)
        return State.DEGRADED if ailing else _STATES[self.result]

    def document(self) -> dict[str, str | None]:
        """For `--json`."""
        return {
            "group": self.group,
            "name": self.name,
            "result": self.result.value,
            "words": self.words,
            "fix": self.fix,
            "system": self.system.value if self.system else None,
        }


_STATES = {
    Result.WELL: State.HEALTHY,
    Result.WARNING: State.DEGRADED,
    Result.FAILED: State.UNHEALTHY,
    Result.UNKNOWN: State.UNKNOWN,
    Result.OFF: State.NOT_CONFIGURED,
}
