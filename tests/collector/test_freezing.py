"""The keeper of a deploy freeze: what it cancels, what it leaves, and that it never asks twice."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from console.collector import freezing
from console.collector.freezing import Freezing, to_cancel
from console.collector.store_thread import StoreThread
from console.model.actions import Holding, RunOutcome, StepOutcome, StepResult
from console.model.configuration import Environment, Secret, Settings
from console.model.observation import Event, Observation, Origin, Outcome
from console.model.operations import GitHub, Operations, Slack
from console.model.states import State
from console.store import due
from console.store.clock import SystemClock, now_ms
from console.store.errors import StoreError
from console.store.freezes import FreezeEntry
from console.store.identity import Who
from console.store.journal import Beginning, Journal
from console.store.lookback import Seen
from console.store.records import Records

REPOSITORY = "acme/shop"
OP1 = Who(4711, "op1", "loginuid")


def going(number: int, attempt: int = 1, *running: str) -> dict[str, Any]:
    return {"id": 19_000_000_000 + number, "number": number, "attempt": attempt, "running": list(running)}


def facts(*runs: dict[str, Any]) -> dict[str, Any]:
    return {"repository": REPOSITORY, "branch": "main", "active_runs": list(runs)}


def entry(subject: str = REPOSITORY, excepted: tuple[str, ...] = ()) -> FreezeEntry:
    return FreezeEntry(id=3, subject=subject, owner="op1", owner_uid=4711, reason="x", began_ms=1000, excepted=excepted)


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        (going(413, 1, "build"), [413]),
        (going(413, 1), [413]),
        (going(413, 1, "deploy-production"), []),
        (going(413, 1, "Migrate database"), []),
        (going(413, 1, "deploy-staging"), [413]),
        ({"id": "x"}, []),
        ({}, []),
    ],
)
def test_what_would_deploy_is_held_and_what_is_half_way_is_left(run: dict[str, Any], expected: list[int]) -> None:
    assert [held.number for held in to_cancel((entry(),), facts(run), 2000)] == expected


def test_what_was_seen_before_the_freeze_counts_for_nothing() -> None:
    assert list(to_cancel((entry(),), facts(going(413)), 999)) == []


def test_another_repository_or_run_is_not_held() -> None:
    assert list(to_cancel((entry("other/name"),), facts(going(413)), 2000)) == []
    only = entry(f"{REPOSITORY} run 19000000413")
    assert [held.number for held in to_cancel((only,), facts(going(412), going(413)), 2000)] == [413]


def test_what_somebody_reran_despite_the_freeze_is_left() -> None:
    excepted = entry(excepted=("#413 (19000000413)",))
    assert [held.number for held in to_cancel((excepted,), facts(going(412), going(413, 2)), 2000)] == [412]


def test_two_freezes_of_one_run_ask_once() -> None:
    only = entry(f"{REPOSITORY} run 19000000413")
    assert len(list(to_cancel((entry(), only), facts(going(413)), 2000))) == 1


class Scripted:
    """What the CI was last seen to do."""

    def __init__(self) -> None:
        self.facts: Mapping[str, Any] = facts()
        self.outcome = Outcome.ANSWERED
        self.asked = 0
        self.events: tuple[Event, ...] = ()

    def recent_events(self, most: int) -> tuple[Event, ...]:
        return self.events[-most:]

    def last_observation(self, target: str) -> Seen:
        self.asked += 1
        seen = Observation(
            target=target, outcome=self.outcome, state=State.HEALTHY, words="", origin=Origin.API, facts=self.facts
        )
        return Seen(seen, 0, now_ms(), now_ms(), 0)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    slack = Slack(webhook=Secret("https://hooks.example/x"))
    operations = Operations(github=GitHub(token=Secret("t"), repository=REPOSITORY), slack=slack)
    return Settings(
        file=tmp_path / "radar.toml", environment=Environment(name="production", url="http://127.0.0.1:9"),
        environments=("production",), state_directory=tmp_path, operations=lambda: operations,
    )  # fmt: skip


def frozen(records: Records, *, hours: float = 1.0, plan: str = "{}", **more: Any) -> int:
    """A freeze as a run of `freeze` records it; gives the run's id."""
    journal = Journal(records, OP1)
    beginning = Beginning(
        token=f"t{now_ms()}{more}", action="freeze", title="Freeze", target="main", risk="safe", exclusion=None,
        plan=plan, reason="until the fix", authority="guard rails", host="h", pid=1, boot_id="b",
    )  # fmt: skip
    run, _ = journal.begin(beginning)
    holding = Holding(kind="freeze", subject=REPOSITORY, text="held", expires_ms=now_ms() + int(hours * 3_600_000))
    journal.conclude(run, "hold-ci", StepResult(outcome=StepOutcome.DONE, words="", holds=(holding,)))
    return run


def keeper(settings: Settings, seen: Scripted) -> Freezing:
    return Freezing(settings, SystemClock(), StoreThread(), seen)


def test_a_new_run_is_asked_for_once_for_each_attempt(settings: Settings) -> None:
    settings.records_path.parent.mkdir(parents=True, exist_ok=True)
    records, seen = Records.open(settings.records_path), Scripted()
    keeping = keeper(settings, seen)
    keeping.look()
    assert seen.asked == 0, "without a freeze nothing is read"
    frozen(records)
    keeping.look()
    assert due.waiting(records) == ()
    seen.facts = facts(going(413, 1, "build"))
    for _ in range(3):
        keeping.look()
        keeper(settings, seen).look()  # and another collector after a restart
    (row,) = due.waiting(records)
    assert (row.action, row.parameters["run"], row.parameters["attempt"]) == ("cancel-run", 19_000_000_413, 1)
    assert (row.operator, row.operator_uid, row.reason) == ("op1 (loginuid)", 4711, "deploy freeze: until the fix")
    seen.facts = facts(going(413, 2, "build"))
    keeping.look()
    assert len(due.waiting(records)) == 2


def test_an_expired_or_ended_freeze_holds_nothing(settings: Settings) -> None:
    settings.records_path.parent.mkdir(parents=True, exist_ok=True)
    records, seen = Records.open(settings.records_path), Scripted()
    seen.facts = facts(going(413))
    frozen(records, hours=-1)
    keeping = keeper(settings, seen)
    keeping.look()
    run = frozen(records)
    ended = StepResult(outcome=StepOutcome.DONE, words="", releases=(("freeze", REPOSITORY),))
    Journal(records, OP1).conclude(run, "release", ended)
    keeping.look()
    assert due.waiting(records) == () and seen.asked == 0


def test_while_github_does_not_answer_nothing_is_asked_for(settings: Settings) -> None:
    settings.records_path.parent.mkdir(parents=True, exist_ok=True)
    records, seen = Records.open(settings.records_path), Scripted()
    seen.facts, seen.outcome = facts(going(413)), Outcome.FAILED
    frozen(records)
    keeper(settings, seen).look()
    assert due.waiting(records) == ()


def test_what_came_to_nothing_is_asked_for_again_later(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.records_path.parent.mkdir(parents=True, exist_ok=True)
    records, seen = Records.open(settings.records_path), Scripted()
    frozen(records)
    seen.facts = facts(going(413, 1, "build"))
    keeping = keeper(settings, seen)
    keeping.look()
    (first,) = due.claim(records, now_ms())
    due.note_refusal(records, first.id, "it migrates just now")
    keeping.look()
    assert due.waiting(records) == (), "not at once"
    monkeypatch.setattr(freezing, "LEAST_PAUSE_MS", 0)
    keeping.look()
    keeper(settings, seen).look()
    (second,) = due.waiting(records)
    assert second.parameters["attempt"] == 1 and second.id != first.id
    due.claim(records, now_ms())
    due.note_run(records, second.id, "t2")
    keeping.look()
    assert due.waiting(records) == (), "a run stands for it, which has not ended"


def test_the_pause_grows_up_to_ten_minutes() -> None:
    assert [freezing.pause_ms(tries) // 1000 for tries in (1, 2, 3, 6, 50)] == [20, 40, 80, 600, 600]


def test_a_freeze_that_could_not_be_read_is_read_at_the_next_look(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file has not changed since, and the freeze is in force all the same."""
    settings.records_path.parent.mkdir(parents=True, exist_ok=True)
    frozen(Records.open(settings.records_path))
    seen = Scripted()
    keeping = keeper(settings, seen)
    with monkeypatch.context() as locked:
        locked.setattr("console.store.freezes.in_force", unreadable)
        with pytest.raises(StoreError):
            keeping.look()
    assert seen.asked == 0
    keeping.look()
    assert seen.asked == 1


def unreadable(*_: object) -> None:
    raise StoreError("locked")


async def test_no_thread_is_woken_while_nothing_is_frozen_and_nothing_was_written(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every two seconds of an idle service."""
    settings.records_path.parent.mkdir(parents=True, exist_ok=True)
    records, looks = Records.open(settings.records_path), list[None]()
    keeping = keeper(settings, Scripted())
    look = keeping.look

    def counted() -> None:
        looks.append(None)
        look()

    monkeypatch.setattr(keeping, "look", counted)
    due.add(records, key="x", due_ms=now_ms() + 60_000, action="freeze", parameters={}, title="t", reason="r",
            operator="o", operator_uid=1)  # fmt: skip
    for _ in range(3):
        await keeping._tried()
    assert len(looks) == 1
    frozen(records)
    for _ in range(2):
        await keeping._tried()
    assert len(looks) == 3, "a freeze in force is kept with each look"


# What the freeze's own run ends


def own(ended_ms: int | None = None) -> FreezeEntry:
    return dataclasses.replace(entry(), own=frozenset({19_000_000_413}), own_ended_ms=ended_ms)


@pytest.mark.parametrize(
    ("freeze", "seen_ms", "expected"),
    [
        (own(), 2_000, [412]),
        (own(), 1_000 + freezing.OWN_MS, [412, 413]),  # its runner was killed
        (own(9_000), 8_999, [412]),
        (own(9_000), 9_000, [412, 413]),
        (entry(), 2_000, [412, 413]),
    ],
)
def test_what_the_freeze_itself_ends_is_not_asked_for_twice(
    freeze: FreezeEntry, seen_ms: int, expected: list[int]
) -> None:
    assert [held.number for held in to_cancel((freeze,), facts(going(412), going(413)), seen_ms)] == expected


def test_what_a_freeze_ends_itself_is_known_from_its_plan(settings: Settings) -> None:
    settings.records_path.parent.mkdir(parents=True, exist_ok=True)
    records, seen = Records.open(settings.records_path), Scripted()
    run = frozen(records, plan='{"data": {"hold_ci": {"runs": [{"id": 19000000413, "number": 413}]}}}')
    seen.facts = facts(going(413, 1, "build"))
    keeper(settings, seen).look()
    assert due.waiting(records) == ()
    Journal(records, OP1).end(run, RunOutcome.DONE, "")
    keeper(settings, seen).look()
    assert [row.parameters["run"] for row in due.waiting(records)] == [19_000_000_413], "it goes on after that"


# What it did not hold


def live(name: str, at_ms: int, kind: str = "deployment") -> Event:
    return Event(
        at_ms=at_ms, kind=kind, subject="vercel", text="live", key=f"deployment/{name}/live/{at_ms}",
        data={"id": name, "short": "8f3c1d2", "message": "pricing v2"},
    )  # fmt: skip


def told(records: Records) -> list[str]:
    return records.read(lambda connection: [row[0] for row in connection.execute("SELECT title FROM outbox")])


def test_what_went_live_during_it_is_told_once(settings: Settings) -> None:
    settings.records_path.parent.mkdir(parents=True, exist_ok=True)
    records, seen = Records.open(settings.records_path), Scripted()
    seen.events = (live("dpl_before", now_ms() - 60_000),)
    frozen(records)
    keeper(settings, seen).look()
    assert told(records) == []
    seen.events = (*seen.events, live("dpl_new", now_ms() + 1000))
    for _ in range(2):
        keeper(settings, seen).look()
    assert told(records) == ['8f3c1d2 "pricing v2" went live during the deploy freeze of op1']


def test_a_move_of_ours_during_it_is_nobodys_alarm(settings: Settings) -> None:
    settings.records_path.parent.mkdir(parents=True, exist_ok=True)
    records, seen = Records.open(settings.records_path), Scripted()
    frozen(records)
    moved = Beginning(
        token="move", action="rollback", title="Roll back", target="8f3c1d2 (dpl_old)", risk="disruptive",
        exclusion=None, plan="{}", reason="x", authority="guard rails", host="h", pid=1, boot_id="b",
    )  # fmt: skip
    Journal(records, OP1).begin(moved)
    seen.events = (live("dpl_old", now_ms() + 1000, "rollback"),)
    keeper(settings, seen).look()
    assert told(records) == []
    seen.events = (*seen.events, live("dpl_other", now_ms() + 2000))
    keeper(settings, seen).look()
    assert len(told(records)) == 1, "the counter-test"
