"""`radar check`: ask every source once and say the state, with its reasons. Needs no store and no collector."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace

from console.cli import FAILED, SHORT, WELL
from console.commands import documents
from console.commands.output import Output, add_json, document
from console.commands.parts import reading, refuse_withheld, settings_of
from console.model.component_users import NO_RATES
from console.model.configuration import Environment, Settings
from console.model.judgement import ComponentJudgement, Judgement
from console.model.not_held import KIND as NOT_HELD
from console.model.observation import Observation
from console.model.ports import StoreUnreadable
from console.model.states import State
from console.model.times import date_time, iso
from console.model.views import Reason, Verdict

STATUS = {State.HEALTHY: WELL, State.UNHEALTHY: FAILED}


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """0: healthy; 1: degraded, or not known; 2: unhealthy."""
    settings = settings_of(arguments)
    refuse_withheld(settings, "check")
    from console.collector import event_loop
    from console.collector.once import one_round  # httpx and psycopg: only here

    observations, judgement = event_loop.run(one_round(settings))
    judgement = replace(judgement, verdict=_undated(judgement.verdict))
    missed = _not_held(settings)
    if arguments.json:
        document({**_document(settings.environment, observations, judgement), "not_held": list(missed)})
    else:
        output = Output(arguments, settings.display)
        _print(output, settings.environment, judgement)
        for words in missed:
            output.folded("! ", f"NOT HELD: {words}", "  ")
    return STATUS.get(judgement.verdict.state, SHORT)


def _not_held(settings: Settings) -> tuple[str, ...]:
    """What went live during a deploy freeze, as the store knows it: a round of its own sees no freeze. A store that
    cannot be read is told by `radar open`; this command needs none."""
    try:
        with reading(settings) as reads:
            items = reads.actions(None).header.open_items
    except StoreUnreadable:
        return ()
    return tuple(item.text for item in items if item.kind == NOT_HELD)


def _undated(verdict: Verdict) -> Verdict:
    """One round knows of what it sees, and not since when."""
    return replace(verdict, reasons=tuple(replace(reason, since_ms=None) for reason in verdict.reasons))


def _document(
    environment: Environment, observations: Sequence[Observation], judgement: Judgement
) -> documents.Document:
    return {
        "at": iso(judgement.at_ms),
        "environment": environment.name,
        "label": environment.label,
        "url": environment.url,
        "identity": judgement.identity,
        "identity_mismatch": judgement.identity_mismatch,
        "state": judgement.verdict.state.value,
        "verdict": documents.verdict(judgement.verdict),
        "components": [documents.component(component) for component in judgement.components],
        "observations": [documents.observation(observation) for observation in observations],
    }


def _print(output: Output, environment: Environment, judgement: Judgement) -> None:
    verdict = judgement.verdict
    name = f"{environment.name} ({environment.label})" if environment.label else environment.name
    output.line(f"{output.state(verdict.state)}  {name}  {environment.url}  {date_time(judgement.at_ms)} UTC")
    if judgement.identity_mismatch:
        output.line(f"! {judgement.identity_mismatch}")
    if verdict.reasons:
        output.line(output.head("why"))
        output.table([(output.state(part.state), part.component, _because(part)) for part in verdict.reasons])
    if verdict.whose_words and verdict.state is not State.HEALTHY:
        output.line(f"  {verdict.whose_words}")
    output.line(output.head("components"))
    output.table(
        [(output.state(part.state), part.name, part.origin.value, _figure(part)) for part in judgement.components]
    )
    if verdict.next_steps:
        output.line(output.head("next"))
        output.table([(step,) for step in verdict.next_steps])


def _figure(component: ComponentJudgement) -> str:
    """A rate takes two looks, and this is one."""
    return "one round cannot tell rates: radar metrics" if component.figure == NO_RATES else component.figure


def _because(reason: Reason) -> str:
    return f"{reason.text} ({reason.origin})" + (f"; {reason.cause}" if reason.cause else "")
