"""Maintenance as the collector knows it: the page is no failure, a 500 is; what is held, marked, and left out."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from console.collector.judge import Judge, Progress
from console.collector.upkeep import HeldFile, Upkeep
from console.model.actions import Holding
from console.model.judgement import Judgement
from console.model.maintenance import PAGE_FACT
from console.model.moment import Moment
from console.model.observation import Event, Observation
from console.model.states import State
from console.model.track import Track
from console.sources.application import RouteSource
from console.sources.http import Client
from console.store import due
from console.store.clock import now_ms
from console.store.maintenance import Held
from console.store.records import Records
from tests.collector.scripted import answered
from tests.collector.test_judge import Rounds, reasons, states
from tests.sources.loopback import answering, serving

ROUTES = ("route:/", "route:/pricing", "route:/api/v1/audits")
TARGETS = ("health", "ping", *ROUTES)
DAY_MS = 86_400_000
OURS = Held(since_ms=1_795_000_000_000, by="op1 (loginuid)")


def page(target: str, sign: str = "header") -> Observation:
    """A route that shows its maintenance page, as its source tells it."""
    return answered(
        target,
        State.UNHEALTHY,
        "503",
        facts={"http_status": 503, PAGE_FACT: sign},
        samples={"ok": 0.0, "latency_ms": 9.0},
    )


def failing(target: str) -> Observation:
    return answered(target, State.UNHEALTHY, "500", facts={"http_status": 500}, samples={"ok": 0.0})


def good(target: str) -> Observation:
    return answered(target, samples={"ok": 1.0} if target.startswith("route:") else {})


class Nights(Rounds):
    """Rounds in which each target gives what it is told."""

    def __init__(self) -> None:
        super().__init__(*TARGETS)
        self.events: list[Event] = []

    def round_of(self, **changes: Any) -> Judgement:
        """One round; `routes` makes the observation of each of them, `health` that of health."""
        routes, health = changes.get("routes", good), changes.get("health", good)
        for target in self.targets:
            make = routes if target.startswith("route:") else health if target == "health" else good
            made = make(target)
            if made is not None:
                self.see(made)
        self.now = Moment(self.now.steady_ms + 5000, self.now.wall_ms + 5000)
        self.events += self.judge.upkeep.step(self.now.wall_ms, self.judge.tracks)
        return self.judge.conclude(self.now, Progress())

    def rounds(self, count: int, **changes: Any) -> Judgement:
        judgement = self.round_of(**changes)
        for _ in range(count - 1):
            judgement = self.round_of(**changes)
        return judgement


@pytest.fixture
def nights() -> Nights:
    found = Nights()
    found.rounds(3)
    return found


def alerts(judgement: Judgement) -> set[str]:
    return {change.rule for change in judgement.alerts if change.ended_ms is None}


def rules(judgement: Judgement) -> dict[str, str]:
    return {reading.name: reading.state for reading in judgement.rules}


def test_the_page_is_degraded_and_told_as_maintenance_and_calls_nobody(nights: Nights) -> None:
    nights.judge.upkeep.held = OURS
    judgement = nights.rounds(30, routes=page)
    assert states(judgement)["routes"] is State.DEGRADED and reasons(judgement) == ["routes.maintenance"]
    (reason,) = judgement.verdict.reasons
    assert reason.text == "all 3 routes: in maintenance by op1 (loginuid)"
    (step,) = judgement.verdict.next_steps
    assert step.startswith("end the maintenance (radar maintenance off): by op1 (loginuid) since ")
    assert alerts(judgement) == set()
    held = {name for name, state in rules(judgement).items() if state == "held"}
    assert {"route-down", "probe-error-rate", "probe-response-time"} <= held


def test_an_answer_500_is_no_maintenance_whatever_the_flag_says(nights: Nights) -> None:
    nights.judge.upkeep.held = OURS
    judgement = nights.rounds(30, routes=failing)
    assert states(judgement)["routes"] is State.UNHEALTHY and "route-down" in alerts(judgement)


def test_one_route_that_fails_beside_the_page_still_fires(nights: Nights) -> None:
    nights.judge.upkeep.held = OURS
    judgement = nights.rounds(30, routes=lambda target: failing(target) if "audits" in target else page(target))
    fired = {(change.rule, change.subject) for change in judgement.alerts}
    assert ("route-down", "/api/v1/audits") in fired and ("route-down", "/pricing") not in fired
    assert set(reasons(judgement)) == {"routes.down", "routes.maintenance"}


def test_a_health_check_that_fails_in_maintenance_still_fires(nights: Nights) -> None:
    nights.judge.upkeep.held = OURS
    judgement = nights.rounds(30, routes=page, health=failing)
    assert "application-down" in alerts(judgement)


def test_the_marker_alone_counts_only_while_it_is_on_here(nights: Nights) -> None:
    judgement = nights.rounds(3, routes=lambda target: page(target, "page"))
    assert states(judgement)["routes"] is State.UNHEALTHY and nights.events == []
    nights.judge.upkeep.held = OURS
    judgement = nights.rounds(3, routes=lambda target: page(target, "page"))
    assert reasons(judgement) == ["routes.maintenance"]


def test_a_page_that_says_so_itself_counts_though_nobody_switched_it_on_here(nights: Nights) -> None:
    judgement = nights.rounds(3, routes=page)
    assert judgement.verdict.reasons[0].text == "all 3 routes: in maintenance, which was not switched on here"


def test_its_beginning_and_its_end_are_events_once(nights: Nights) -> None:
    nights.judge.upkeep.held = OURS
    nights.rounds(3, routes=page)
    nights.judge.upkeep.held = Held()
    nights.rounds(1, routes=page)
    nights.rounds(3)
    began, ended = nights.events
    assert (began.kind, began.subject, began.at_ms) == ("maintenance", "routes", OURS.since_ms)
    assert began.text == "maintenance began by op1 (loginuid)" and ended.text == "maintenance ended"
    assert ended.at_ms > began.at_ms and began.key != ended.key


def test_a_collector_that_starts_in_the_middle_tells_no_second_beginning(nights: Nights) -> None:
    nights.judge.upkeep.held = OURS
    nights.rounds(2, routes=page)
    after = Upkeep()
    after.remember(nights.events)
    after.held = OURS
    assert after.step(nights.now.wall_ms + 5000, {}) == ()
    after.held = Held()
    (ended,) = after.step(nights.now.wall_ms + 10_000, {})
    assert ended.text == "maintenance ended" and ended.data["since_ms"] == OURS.since_ms
    over = Upkeep()
    over.remember([*nights.events, ended])
    assert over.current is None


def test_uptime_counts_what_was_not_announced_and_leaves_out_what_was(nights: Nights) -> None:
    nights.judge.upkeep.held = OURS
    assert nights.rounds(3, routes=page).samples["application"] == {"up": 0.0}
    now = nights.now.wall_ms
    nights.judge.upkeep.held = replace(OURS, announced=((now - 1000, now + DAY_MS),))
    assert "application" not in nights.rounds(1, routes=page).samples
    nights.judge.upkeep.held = replace(OURS, announced=((now - DAY_MS, now - 1000),))
    assert nights.rounds(1, routes=page).samples["application"] == {"up": 0.0}, "it lasts longer than announced"
    nights.judge.upkeep.held = Held()
    assert nights.rounds(3).samples["application"] == {"up": 1.0}


def test_a_flag_that_nobody_sees_changes_nothing(nights: Nights) -> None:
    nights.judge.upkeep.held = OURS
    judgement = nights.rounds(2)
    assert judgement.samples["application"] == {"up": 1.0} and reasons(judgement) == []


def test_a_regular_window_alone_is_no_maintenance(nights: Nights) -> None:
    first_of_month = Moment(nights.now.steady_ms, 1_796_090_500_000)  # 2026-12-01 02:01:40
    nights.now = first_of_month
    assert nights.rounds(2).samples["application"] == {"up": 1.0}
    nights.judge.upkeep.held = OURS
    assert "application" not in nights.rounds(1, routes=page).samples


def test_errors_before_it_fire_no_more_while_all_is_shut(nights: Nights) -> None:
    judgement = nights.rounds(30, routes=failing)
    assert "probe-error-rate" in rules(judgement) and rules(judgement)["route-down"] == "firing"
    nights.judge.upkeep.held = OURS
    judgement = nights.rounds(30, routes=page)
    assert rules(judgement)["route-down"] in ("firing", "held") and not [a for a in judgement.alerts if a.ended_ms]
    nights.judge.upkeep.held = Held()
    judgement = nights.rounds(30)
    assert rules(judgement)["route-down"] == "ok"


# --- what the sources tell --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "sign"),
    [
        (answering(503, b"oh", {"x-maintenance": "on"}), "header"),
        (answering(503, b"Maintenance. Back soon."), "page"),
        (answering(503, b"oh"), None),
        (answering(200, b"maintenance"), None),
        (answering(500, b"maintenance", {"x-maintenance": "on"}), None),
    ],
)
async def test_a_route_tells_the_page(answer: Any, sign: str | None) -> None:
    async with serving(answer) as server:
        client = Client()
        seen = await RouteSource("/", server.url("/"), client, interval_s=5).observe()
        await client.close()
    assert seen.facts.get(PAGE_FACT) == sign
    assert Upkeep().judged(seen).state is (State.DEGRADED if sign == "header" else seen.state)


# --- what the ledger tells --------------------------------------------------------------------------------------------


def test_the_ledger_s_entry_and_announced_windows_are_read_when_the_file_changed(tmp_path: Path) -> None:
    path = tmp_path / "records.db"
    found = HeldFile(path, "test", None)
    assert not found.changed()
    with closing(Records(path)) as records:
        hold(records, "test", "op1 (loginuid)")
        announce(records, "told-in-time", notice_ms=3_600_000)
        announce(records, "told-late", notice_ms=300_000)
        assert found.changed()
        read = found.read(now_ms())
        assert (read.by, read.until_ms) == ("op1 (loginuid)", 5_000_000_000_000)
        ((start, end),) = read.announced
        assert end - start == 45 * 60_000 and not found.changed()
        assert HeldFile(path, "another", None).read(now_ms()).since_ms is None
    found.close()


def hold(records: Records, environment: str, owner: str) -> None:
    holding = Holding(kind="maintenance", subject=environment, text="in maintenance", expires_ms=5_000_000_000_000)
    records.write(
        lambda connection: connection.execute(
            "INSERT INTO holding(kind, subject, text, owner, began_ms, expires_ms, undo) VALUES (?, ?, ?, ?, ?, ?, '')",
            (holding.kind, holding.subject, holding.text, owner, now_ms(), holding.expires_ms),
        )
    )


def announce(records: Records, key: str, *, notice_ms: int) -> None:
    row = due.add(
        records, key=key, due_ms=now_ms() + notice_ms, action="maintenance", parameters={"on": True, "minutes": 45.0},
        title="x", reason="x", operator="op1", operator_uid=1,
    )  # fmt: skip
    due.note_run(records, row.id, f"token of {key}")


def test_users_turned_away_call_nobody_and_the_memory_still_does() -> None:
    nights = Nights()
    nights.judge.tracks["metrics"] = Track("metrics", 15.0)
    nights.rounds(3)
    nights.judge.upkeep.held = OURS
    for _ in range(40):
        counts = {"requests": 100.0, "errors": 40.0, "memory_bytes": 99.0, "memory_limit_bytes": 100.0}
        nights.see(answered("metrics", samples=counts))
        judgement = nights.round_of(routes=page)
    assert (rules(judgement)["error-rate"], rules(judgement)["memory"]) == ("held", "firing")
    nights.judge.upkeep.held = Held()
    for _ in range(40):
        nights.see(answered("metrics", samples=counts))
        judgement = nights.round_of()
    assert rules(judgement)["error-rate"] == "firing"


def test_a_judge_without_upkeep_knows_none() -> None:
    assert Judge(Nights().judge._environment, {}).upkeep.current is None
