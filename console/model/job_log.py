"""The failing step out of the log of a CI job: what comes after it is the cleaning up of the steps before. Pure.

GitHub begins each line with its time and tells each step's times in whole seconds; at the edges, where lines of two
steps bear the same second, its marks decide: a step begins with a group `Run …` and fails with an error.
"""

from __future__ import annotations

from collections.abc import Sequence

from console.model import payload
from console.model.inquiries import LogLine
from console.model.observation import Json
from console.model.value import value

SECOND_MS = 1000


@value
class Marked:
    """A line with GitHub's mark before it: `group`, `error`, …, or nothing."""

    line: LogLine
    mark: str

    @property
    def begins(self) -> bool:
        """Whether a step begins with it."""
        return self.mark == "group" and self.line.text.startswith("Run ")


@value
class FailingStep:
    """The step at which a job failed."""

    name: str
    began_ms: int | None
    ended_ms: int | None


def failing_step(job: Json) -> FailingStep | None:
    """The first step that failed, of a job as GitHub tells it; None: none did, or it is not told."""
    for conclusion in ("failure", "timed_out", "cancelled"):
        for step in payload.items(job, "steps"):
            if payload.text(step, "conclusion") == conclusion:
                return FailingStep(
                    name=payload.text(step, "name", limit=120) or "without a name",
                    began_ms=payload.time_ms(step, "started_at"),
                    ended_ms=payload.time_ms(step, "completed_at"),
                )
    return None


def own_lines(lines: Sequence[Marked], step: FailingStep | None) -> tuple[int, int]:
    """(first, end) of the failing step's lines; all of them where nothing tells which are its own."""
    if step is not None and step.began_ms is not None and step.ended_ms is not None:
        timed = _by_times(lines, step.began_ms, step.ended_ms)
        if timed is not None:
            return timed
    return _by_marks(lines)


def _by_times(lines: Sequence[Marked], began_ms: int, ended_ms: int) -> tuple[int, int] | None:
    inside = [
        at
        for at, each in enumerate(lines)
        if each.line.at_ms is not None and began_ms <= each.line.at_ms < ended_ms + SECOND_MS
    ]
    if not inside:
        return None
    first, end = inside[0], _with_rest(lines, inside[-1])
    begins = (at for at in range(first, end) if lines[at].begins and _ms(lines[at]) < began_ms + SECOND_MS)
    failed = [at for at in range(first, end) if lines[at].mark == "error"]
    if failed and all(_ms(each) >= ended_ms for each in lines[failed[-1] + 1 : end] if each.line.at_ms is not None):
        end = _with_rest(lines, failed[-1])
    return next(begins, first), end


def _by_marks(lines: Sequence[Marked]) -> tuple[int, int]:
    failed = next((at for at in range(len(lines) - 1, -1, -1) if lines[at].mark == "error"), None)
    if failed is None:
        return 0, len(lines)
    first = next((at for at in range(failed, -1, -1) if lines[at].begins), 0)
    return first, _with_rest(lines, failed)


def _with_rest(lines: Sequence[Marked], last: int) -> int:
    """The end of a line: what has no time of its own belongs to it."""
    end = last + 1
    while end < len(lines) and lines[end].line.at_ms is None:
        end += 1
    return end


def _ms(each: Marked) -> int:
    return each.line.at_ms or 0


def left_off_words(name: str, before: int, after: int) -> str:
    """What of the log is not here beside the step."""
    if not before and not after:
        return ""
    parts = [f"{before:,} lines before it"] * bool(before) + [f"{after:,} lines after it (cleaning up)"] * bool(after)
    return f"the step {name} alone: {' and '.join(parts)} are left off"
