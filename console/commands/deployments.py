"""`radar deployments`: what serves production and what could, what each did; the runs on their ten stages."""

from __future__ import annotations

import argparse

from console.cli import FAILED, SHORT, WELL
from console.commands.documents import Document, moment
from console.commands.output import Output, add_json, complain, document
from console.commands.parts import reading, settings_of
from console.model.deployment_rules import BROKEN, BUILDING, PRODUCTION, assign_words, eligible_words, named, served_s
from console.model.deployments import CiRunRow, DeploymentRow, DeploymentsView, Effect, StageCell
from console.model.not_held import KIND as NOT_HELD
from console.model.pipeline import run_duration_s, run_state, run_words
from console.model.ports import StoreUnreadable
from console.model.states import State
from console.model.times import ago, iso
from console.model.words import fitted, seconds

_MESSAGE = 48
_STATES = {"failed": State.UNHEALTHY, "passed": State.HEALTHY, "unknown": State.UNKNOWN, "cancelled": State.DEGRADED}


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument("--runs", action="store_true", help="the CI runs alone, each with its ten stages")
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """0: both lists are known; 1: one is not of now, or not known; 2: the store cannot be read."""
    settings = settings_of(arguments)
    try:
        with reading(settings) as reads:
            view = reads.deployments(arguments.at_ms)
    except StoreUnreadable as error:
        complain(str(error))
        return FAILED
    if arguments.json:
        document(_document(view))
    else:
        output = Output(arguments, settings.display)
        output.as_of(arguments.at_ms)
        _print(output, view, runs_only=arguments.runs)
    asked = [view.runs_words] if arguments.runs else [view.deployments_words, view.runs_words]
    return SHORT if any(asked) else WELL


# --- for programs -----------------------------------------------------------------------------------------------------


def _document(view: DeploymentsView) -> Document:
    return {
        "at": iso(view.header.at_ms),
        "environment": view.header.environment,
        "collecting": view.header.collector.alive,
        "auto_assign": view.auto_assign,
        "pinned_by": view.pinned_by,
        "rolled_back": view.rolled_back,
        "records_read": not view.records_unread,
        "rolling_release": view.rolling_release,
        "frozen": {"by": view.frozen_by, "until": moment(view.frozen_until_ms)} if view.frozen_by is not None else None,
        "not_held": [item.text for item in view.header.open_items if item.kind == NOT_HELD],
        "deployments_read": moment(view.deployments_ms),
        "deployments_words": view.deployments_words,
        "deployments": [_deployment(row, view.header.at_ms) for row in view.deployments],
        "runs_read": moment(view.runs_ms),
        "runs_words": view.runs_words,
        "runs": [_run(row, view.header.at_ms) for row in view.runs],
    }


def _deployment(row: DeploymentRow, at_ms: int) -> Document:
    return {
        "id": row.id,
        "short": row.short,
        "message": row.message,
        "author": row.author,
        "branch": row.branch,
        "target": row.target,
        "state": row.state,
        "error": row.error,
        "current": row.current,
        "made": moment(row.created_ms),
        "live": moment(row.live_ms),
        "until": moment(row.until_ms),
        "served_s": None if (served := served_s(row, at_ms)) is None else round(served),
        "note": row.note,
        "amiss": row.amiss,
        "candidate": row.candidate,
        "why_not": row.why_not,
        "effects": [_effect(effect) for effect in row.effects],
    }


def _effect(effect: Effect) -> Document:
    return {
        "figure": effect.figure,
        "before": effect.before,
        "after": effect.after,
        "unit": effect.unit,
        "origin": effect.origin.value,
        "window_s": effect.window_s,
        "words": effect.words,
    }


def _run(row: CiRunRow, at_ms: int) -> Document:
    return {
        "id": row.id,
        "number": row.number,
        "attempt": row.attempt,
        "title": row.title,
        "branch": row.branch,
        "commit": row.commit,
        "author": row.author,
        "event": row.event,
        "state": run_state(row),
        "words": run_words(row),
        "began": moment(row.started_ms),
        "took_s": run_duration_s(row, at_ms),
        "stages": [_stage(cell) for cell in row.stages],
    }


def _stage(cell: StageCell) -> Document:
    return {
        "name": cell.name,
        "state": cell.state,
        "took_s": cell.duration_s,
        "job": cell.job_id,
        "failing_step": cell.failing_step,
        "words": cell.words,
    }


# --- for people -------------------------------------------------------------------------------------------------------


def _print(output: Output, view: DeploymentsView, *, runs_only: bool) -> None:
    if not runs_only:
        _notices(output, view)
        output.line(output.head("deployments"))
        _told(output, view.deployments_words)
        output.table([_deployment_line(output, row, view.header.at_ms) for row in view.deployments])
    output.line(output.head("ci runs"))
    _told(output, view.runs_words)
    if runs_only:
        for row in view.runs:
            _with_stages(output, row, view.header.at_ms)
    else:
        output.table([_run_line(output, row, view.header.at_ms) for row in view.runs])


def _told(output: Output, words: str) -> None:
    if words:
        output.folded("  ", words, "  ")


def _notices(output: Output, view: DeploymentsView) -> None:
    found = [assign_words(view)]
    if view.rolling_release:
        found.append("ROLLING RELEASE in progress: production is shared between two deployments")
    if view.frozen_by is not None:
        until = f" till {iso(view.frozen_until_ms)}" if view.frozen_until_ms is not None else ""
        found.append(f"DEPLOY FREEZE{until} by {named(view.frozen_by)}")
    found += [f"NOT HELD: {item.text}" for item in view.header.open_items if item.kind == NOT_HELD]
    for words in filter(None, found):
        output.folded("! ", words, "  ")


def _deployment_line(output: Output, row: DeploymentRow, at_ms: int) -> tuple[str, ...]:
    state = State.HEALTHY if row.current else State.UNHEALTHY if row.state in BROKEN else State.UNKNOWN
    plain = not row.current and (row.state in BUILDING or row.state == "ready")
    word = "current" if row.current else row.state
    return (
        f"  {word}" if plain else output.painted(f"{output.glyph(state)} {word}", state),
        row.short,
        row.target or "preview",
        _since(row, at_ms),
        _change(row, "p95"),
        _change(row, "errors"),
        fitted(row.message or row.id, _MESSAGE) + (f" ({row.author})" if row.author else ""),
        eligible_words(row) if row.target == PRODUCTION and not row.current else "",
    )


def _since(row: DeploymentRow, at_ms: int) -> str:
    served = served_s(row, at_ms)
    if served is not None:
        return f"live for {ago(served)}" if row.current else f"served {ago(served)}"
    return f"made {ago((at_ms - row.created_ms) / 1000)} ago" if row.created_ms is not None else ""


def _change(row: DeploymentRow, figure: str) -> str:
    """`p95 118 → 1,840 ms (users)`; nothing where neither side is known."""
    effect = next((each for each in row.effects if each.figure == figure), None)
    if effect is None or (effect.before is None and effect.after is None):
        return ""
    share = figure == "errors"
    before, after = (_figure(value, share=share) for value in (effect.before, effect.after))
    origin = f"{effect.origin.value}, by the hour" if effect.by_hours else effect.origin.value
    return f"{figure} {before} → {after} {'%' if share else effect.unit} ({origin})"


def _figure(value: float | None, *, share: bool) -> str:
    if value is None:
        return "?"
    return f"{value * 100:.3g}" if share else f"{value:,.0f}"


def _run_line(output: Output, row: CiRunRow, at_ms: int) -> tuple[str, ...]:
    state = run_state(row)
    shown = _STATES.get(state)
    took = run_duration_s(row, at_ms)
    return (
        output.painted(f"{output.glyph(shown)} {state}", shown) if shown is not None else f"  {state}",
        f"#{row.number}" + (f".{row.attempt}" if row.attempt > 1 else ""),
        f"{ago((at_ms - row.started_ms) / 1000)} ago" if row.started_ms is not None else "",
        "" if took is None else f"took {seconds(took)}",
        run_words(row) if state != "passed" else "",
        fitted(row.title, _MESSAGE) + (f" ({row.author})" if row.author else ""),
    )


def _with_stages(output: Output, row: CiRunRow, at_ms: int) -> None:
    output.table([_run_line(output, row, at_ms)])
    output.table(
        [
            (
                f"      {cell.name}",
                cell.state,
                "" if cell.duration_s is None else seconds(cell.duration_s),
                cell.failing_step or cell.words,
            )
            for cell in row.stages
        ]
    )
