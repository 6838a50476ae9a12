"""Judgements and observations as JSON, and back. Lone surrogates become question marks: no text can break a write."""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from console.model.judgement import ComponentJudgement, Judgement, RuleReading
from console.model.observation import Buckets, Json, Observation, Origin, Sample
from console.model.states import State
from console.model.views import Reason, TargetRow, Verdict

BODY_LIMIT = 64 * 1024
VOLATILE_LIMIT = 512 * 1024

# The decoded JSON of our own rows; its shape is made here and nowhere else.
Record = dict[str, Any]


def dumps(value: object) -> str:
    """Compact JSON with sorted keys: equal values give equal text."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=str, ensure_ascii=False)
    return text if text.isascii() else plain(text)


def loads(text: str | bytes) -> Record:
    """The object that `dumps` wrote. Raises ValueError when it is none."""
    value = json.loads(text)
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")
    return value


def packed(value: object) -> bytes:
    """JSON compressed; level 1, since it is written every round (2 KB: 40 µs)."""
    return zlib.compress(dumps(value).encode(), 1)


def unpacked(data: bytes) -> Record:
    """What `packed` made. Raises ValueError when it is damaged."""
    try:
        return loads(zlib.decompress(data))
    except zlib.error as error:
        raise ValueError(str(error)) from error


def plain(text: str) -> str:
    """Text that SQLite takes: lone surrogates become question marks."""
    return text.encode("utf-8", "replace").decode("utf-8")


def observation_body(observation: Observation) -> str:
    """The judged part of an observation. Facts that are too large are replaced by a note."""
    body: Record = {"words": observation.words, "origin": observation.origin.value, "facts": dict(observation.facts)}
    text = dumps(body)
    if len(text) <= BODY_LIMIT:
        return text
    return dumps({**body, "facts": {"dropped": f"facts of {len(text)} bytes: more than {BODY_LIMIT} are not kept"}})


def volatile_body(values: Mapping[str, Json]) -> bytes:
    """The volatile part, compressed; lists that make it too large are replaced by a note."""
    text = dumps(dict(values))
    if len(text) > VOLATILE_LIMIT:
        text = dumps({"dropped": f"{len(text)} bytes: more than {VOLATILE_LIMIT} are not kept"})
    return zlib.compress(text.encode(), 6)


def component_body(component: ComponentJudgement) -> str:
    """A component's judgement without its state and figure."""
    return dumps(
        {
            "name": component.name,
            "origin": component.origin.value,
            "explanation": list(component.explanation),
            "targets": list(component.targets),
            "interval_s": component.interval_s,
            "error": component.error,
        }
    )


def verdict_record(verdict: Verdict) -> Record:
    """A verdict as JSON values."""
    return {
        "state": verdict.state.value,
        "whose": verdict.whose,
        "whose_words": verdict.whose_words,
        "next_steps": list(verdict.next_steps),
        **({"suggested": list(verdict.suggested)} if verdict.suggested else {}),
        "reasons": [
            {
                "key": reason.key,
                "state": reason.state.value,
                "component": reason.component,
                "text": reason.text,
                "since_ms": reason.since_ms,
                "origin": reason.origin.value,
                "cause": reason.cause,
                "incident": reason.incident,
            }
            for reason in verdict.reasons
        ],
    }


def verdict_from(record: Record) -> Verdict:
    """The verdict of `verdict_record`."""
    return Verdict(
        state=State(record["state"]),
        whose=record["whose"],
        whose_words=record["whose_words"],
        next_steps=tuple(record["next_steps"]),
        suggested=(found[0], found[1]) if (found := record.get("suggested")) else None,
        reasons=tuple(
            Reason(
                key=reason["key"],
                state=State(reason["state"]),
                component=reason["component"],
                text=reason["text"],
                since_ms=reason["since_ms"],
                origin=Origin(reason["origin"]),
                cause=reason["cause"],
                incident=reason["incident"],
            )
            for reason in record["reasons"]
        ),
    )


def essence(record: Record) -> str:
    """What makes two verdicts the same judgement: state, whose fault, and each reason's key, state and cause.

    The texts carry changing numbers; comparing them would begin a span with every round of an incident.
    """
    reasons = [(reason["key"], reason["state"], reason["cause"]) for reason in record["reasons"]]
    return dumps([record["state"], record["whose"], reasons])


def figures_record(judgement: Judgement) -> Record:
    """Everything of a judgement that changes from round to round."""
    return {
        "verdict": verdict_record(judgement.verdict),
        "components": [[component.key, component.figure] for component in judgement.components],
        "targets": [_target_record(row) for row in judgement.targets],
        "rules": [_rule_record(rule) for rule in judgement.rules],
        "identity": judgement.identity,
        "mismatch": judgement.identity_mismatch,
    }


def _target_record(row: TargetRow) -> list[Json]:
    return [
        row.name,
        _number(row.value),
        row.unit,
        row.limit,
        row.origin.value,
        row.state.value,
        row.samples,
        row.window_s,
        row.aside,
        row.at_least,
    ]


def targets_from(record: Record) -> tuple[TargetRow, ...]:
    """The service-level targets of a figures record. Rows of before `at_least` was kept say that they are no bound."""
    return tuple(
        TargetRow(
            name=name,
            value=value,
            unit=unit,
            limit=limit,
            origin=Origin(origin),
            state=State(state),
            samples=samples,
            window_s=window_s,
            aside=aside,
            at_least=bool(later and later[0]),
        )
        for name, value, unit, limit, origin, state, samples, window_s, aside, *later in record["targets"]
    )


def _rule_record(rule: RuleReading) -> list[Json]:
    return [rule.name, rule.severity, rule.condition, rule.state, _number(rule.value), rule.unit]


def rules_from(record: Record) -> tuple[RuleReading, ...]:
    """The rule readings of a figures record."""
    return tuple(
        RuleReading(name=name, severity=severity, condition=condition, state=state, value=value, unit=unit)
        for name, severity, condition, state, value, unit in record["rules"]
    )


def _number(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def samples_text(series: Iterable[tuple[int, Sample]], answered: bool) -> str:
    """One packed row of `recent`: `[answered, series, value, series, value, …]`."""
    row: list[object] = [1 if answered else 0]
    for series_id, sample in series:
        row.append(series_id)
        row.append([sample.bounds, sample.counts] if isinstance(sample, Buckets) else sample)
    # Python writes and reads infinity (the last bound of Buckets) as `Infinity`.
    return json.dumps(row, separators=(",", ":"))


def samples_from(text: str) -> tuple[bool, list[tuple[int, Sample]]]:
    """(answered, samples) of a packed row."""
    return rows_from([text])[0]


def rows_from(texts: Sequence[str]) -> list[tuple[bool, list[tuple[int, Sample]]]]:
    """(answered, samples) of many packed rows; decoded as one array, which is five times faster than one by one."""
    rows = cast(list[list[Any]], json.loads(f"[{','.join(texts)}]"))
    return [(bool(row[0]), [(row[index], _sample(row[index + 1])) for index in range(1, len(row), 2)]) for row in rows]


def _sample(value: Any) -> Sample:
    if isinstance(value, list):
        return Buckets(bounds=tuple(value[0]), counts=tuple(value[1]))
    return value if type(value) is float else float(value)
