"""What `radar doctor` says of one thing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


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

    def document(self) -> dict[str, str]:
        """For `--json`."""
        return {
            "group": self.group,
            "name": self.name,
            "result": self.result.value,
            "words": self.words,
            "fix": self.fix,
        }
