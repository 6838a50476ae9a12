"""A plan, its escape card and a run as plain text: for commands, the clipboard and a printer. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from console.model.actions import CheckResult, Plan, RunOutcome, StepOutcome
from console.model.times import ago

_CHECK = {CheckResult.PASS: "ok", CheckResult.WARN: "! ", CheckResult.FAIL: "NO"}
STEP_WORDS = {
    StepOutcome.INTENDED: "begun",
    StepOutcome.DONE: "done",
    StepOutcome.FAILED: "FAILED",
    StepOutcome.UNKNOWN: "UNKNOWN",
    StepOutcome.SKIPPED: "skipped",
}
OUTCOME_WORDS = {
    RunOutcome.DONE: "done and verified",
    RunOutcome.WORSE: "done, but worse than before",
    RunOutcome.FAILED: "failed",
    RunOutcome.NOT_DONE: "nothing was changed",
    RunOutcome.CLOSED: "closed by hand",
    RunOutcome.RUNNING: "running",
    RunOutcome.UNKNOWN: "unknown: nobody can tell whether it took place",
    RunOutcome.INTERRUPTED: "interrupted: nobody carries it out any more",
}


NOT_VERIFIED = "not verified"
"""In the words of a step: what was asked for is accepted, and was not seen to come."""


def outcome_words(outcome: RunOutcome, words: str) -> str:
    """How a run ended, in as many words as it earns."""
    if outcome is RunOutcome.DONE and NOT_VERIFIED in words:
        return "accepted, not verified"
    return OUTCOME_WORDS[outcome]


def ended_text(outcome: RunOutcome, words: str) -> str:
    """How a run ended or stands, with its own words where these say more."""
    head = outcome_words(outcome, words)
    more = words.removeprefix(head).lstrip(":. ")
    return f"{head}. {more}" if more else head


def plan_text(plan: Plan, now_ms: int) -> list[str]:
    """The whole plan, a line each."""
    lines = [f"PLAN  {plan.title} ({plan.risk})", ""]
    for check in plan.checks:
        age = f", {ago((now_ms - check.at_ms) / 1000)}" if check.at_ms is not None else ""
        source = f"  [{check.source}{age}]" if check.source else ""
        lines.append(f"  {_CHECK[check.result]}  {check.words}{source}")
    lines += ["", f"STEPS  about {plan.expected_s:.0f} s"]
    for number, step in enumerate(plan.steps, start=1):
        aside = "" if step.required else "  (may fail without losing the rest)"
        lines.append(f"  {number}  {step.words}{aside}")
        lines += [f"     {step.call}"] if step.call else []
    lines += list(_consequences(plan))
    return lines


def _consequences(plan: Plan) -> Iterator[str]:
    for head, words in (("WILL NOT COME BACK", plan.lost), ("AFTERWARDS", plan.afterwards)):
        if words:
            yield ""
            yield head
            yield from (f"  {each}" for each in words)
    yield ""
    yield f"UNDO  {plan.undo or 'there is none'}"


def escape_text(plan: Plan) -> list[str]:
    """The escape card: the same with the vendors' own tools, when this console cannot."""
    head = f"ESCAPE CARD  {plan.title}"
    why = "The same with the vendors' own tools. No secret stands here: log in with your own."
    return [head, "", why, "", *(f"  {line}" for line in plan.escape)]
