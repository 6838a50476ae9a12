"""What used a budget up: two faults are two incidents, each with its own cause and its own worst figure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from console.model.metric_views import Consumer
from console.model.observation import Origin
from console.model.states import State
from console.model.views import Reason, TargetRow, Verdict
from console.store.history import HistoryWriter
from console.store.names import DAY_MS, HOUR_MS, MINUTE_MS
from console.store.observe import ObservedStore
from tests.store.samples import ManualClock, component, holder, judged, observed
from tests.store.test_slo import FULL, NOW_MS, growth, of, read

BEGAN_MS = NOW_MS + 15 * MINUTE_MS
Part = tuple[int, float, State, str | None]
"""Minutes, the share of requests that fail, the state, what is blamed."""
WELL: Part = (3, 0.0, State.HEALTHY, None)


def told(state: State, share: float, cause: str | None) -> Verdict:
    reason = Reason(
        key="users.errors", state=state, component="users", text=f"{share:.1%} of requests fail", since_ms=BEGAN_MS,
        origin=Origin.USERS, cause=cause,
    )  # fmt: skip
    return Verdict(
        state=state, reasons=(reason,) if state is not State.HEALTHY else (), whose="us", whose_words="",
        next_steps=(), suggested=None,
    )  # fmt: skip


def consumed(path: Path, parts: Sequence[Part], *, packed: bool) -> tuple[Consumer, ...]:
    """Thirty good days, then these parts, a judgement each five seconds."""
    with HistoryWriter(path) as writer:
        hours = range(NOW_MS - 30 * DAY_MS, NOW_MS, HOUR_MS)
        writer.hours("metrics|requests", [(at, growth(1000.0)) for at in hours])
        writer.hours("metrics|errors", [(at, growth(0.0)) for at in hours])
    clock = ManualClock(wall=BEGAN_MS)
    store = ObservedStore.open(path, clock)
    lease = store.acquire(holder())
    assert lease is not None
    row = TargetRow(
        name="errors", value=0.0, unit="share", limit=0.01, origin=Origin.USERS, state=State.HEALTHY, samples=100,
        window_s=300, aside=None,
    )  # fmt: skip
    for minutes, share, state, cause in parts:
        for number in range(12 * minutes):
            now_ms = clock.pass_ms(5000)
            now = share * min(1.0, (number + 6) / 24)
            made = replace(
                judged(now_ms, (component("users", state),), told(state, now, cause)),
                targets=(replace(row, value=now),),
            )
            seen = observed("metrics", samples={"requests": 100.0, "errors": 100.0 * now})
            store.write_round(lease, now_ms, [seen], made, {"metrics": 5.0})
    if packed:
        clock.pass_ms(20 * MINUTE_MS)
        while store.maintain(lease, clock.wall).packed_slots:
            pass
    store.close()
    used = of(read(path, FULL, now_ms=clock.wall), "errors").consumers
    return tuple(sorted((each for each in used if each.subject), key=lambda each: each.began_ms))


@pytest.mark.parametrize("packed", [False, True])
def test_two_faults_are_two_incidents_with_their_own_worst_figures(tmp_path: Path, packed: bool) -> None:
    first: Part = (4, 0.08, State.DEGRADED, None)
    second: Part = (10, 0.23, State.UNHEALTHY, "deployment 8f3c1d2")
    found = consumed(tmp_path / "observed.db", [first, WELL, second], packed=packed)
    assert [(each.cause, each.text.partition("; ")[2]) for each in found] == [
        (None, "at worst 8 %"),
        ("deployment 8f3c1d2", "at worst 23 %"),
    ]
    assert found[1].began_ms - found[0].began_ms == 7 * MINUTE_MS
    assert found[0].ended_ms is not None and (found[1].ended_ms is None) is not packed
    assert found[1].budget_share > found[0].budget_share


def test_what_comes_back_for_the_same_cause_is_one_incident_in_its_gravest_words(tmp_path: Path) -> None:
    cause = "deployment 8f3c1d2"
    parts: list[Part] = [(2, 0.02, State.DEGRADED, cause), WELL, (4, 0.3, State.UNHEALTHY, cause)]
    (found,) = consumed(tmp_path / "observed.db", parts, packed=False)
    assert found.began_ms == BEGAN_MS + 5000 and found.cause == cause
    assert found.text.endswith("of requests fail; at worst 30 %") and not found.text.startswith("0.5")
