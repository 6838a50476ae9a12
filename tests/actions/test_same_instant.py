"""Two at the same instant, a token revoked midway, and clocks that jump."""

from __future__ import annotations

import multiprocessing
import threading
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from console.model.actions import ARMED_MS, RunOutcome, StepOutcome
from console.model.ports import Refused
from console.store import due, journal
from console.store.identity import Who
from console.store.journal import Beginning, Busy, Journal
from console.store.records import Records
from tests.actions.place import Place, place

PHRASE = "f1f1f1f"
ROUNDS = 20
OP1, OP2 = Who(1001, "op1", "uid"), Who(1002, "op2", "uid")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    return place(tmp_path, monkeypatch)


# Two operators


def test_two_confirm_at_the_same_instant_one_begins_and_the_other_is_told_who(here: Place) -> None:
    tickets = [here.desk.plan(here.request(ask="wait")) for _ in range(2)]
    together, told = threading.Barrier(2), {}

    def confirm(number: int) -> None:
        together.wait()
        try:
            told[number] = tickets[number].confirm(reason="why", typed=PHRASE)
        except Refused as refused:
            told[number] = f"no: {refused}"

    threads = [threading.Thread(target=confirm, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    refused = [words for words in told.values() if words.startswith("no: ")]
    assert len(refused) == 1 and "run 1 is not at its end: Make two files (" in refused[0]
    (run,) = here.reader().actions(None).runs
    assert run.operator in refused[0]
    (here.remote / "go").touch()
    assert {path.stem for path in (here.settings.state_directory / "runs").glob("*.lock")} <= {run.token}
    assert here.ended(run.token).run is not None


def _begins(path: Path, who: Who, together: Barrier, told: multiprocessing.SimpleQueue[str]) -> None:
    own = Journal(Records.open(path), who)
    for number in range(ROUNDS):
        together.wait()
        try:
            run, _ = own.begin(beginning(f"{who.name}x{number}"))
            told.put("begun")
        except Busy as busy:
            told.put(str(busy))
            run = 0
        together.wait()
        if run:
            own.end(run, RunOutcome.DONE, "well")


def beginning(token: str) -> Beginning:
    return Beginning(
        token=token, action="rollback", title="Roll back", target="prj", risk="disruptive", exclusion="deployment",
        plan="{}", reason="why", authority="guard rails", host="h", pid=1, boot_id="b",
    )  # fmt: skip


def test_of_two_processes_at_one_barrier_exactly_one_begins_each_time(tmp_path: Path) -> None:
    path = tmp_path / "records.db"
    Records.open(path).close()
    made = multiprocessing.get_context("spawn")
    together, told = made.Barrier(2), made.SimpleQueue()
    both = [made.Process(target=_begins, args=(path, who, together, told)) for who in (OP1, OP2)]
    for process in both:
        process.start()
    heard = [told.get() for _ in range(2 * ROUNDS)]
    for process in both:
        process.join(30)
        assert process.exitcode == 0
    assert heard.count("begun") == ROUNDS
    refused = [words for words in heard if words != "begun"]
    assert all("is not at its end: Roll back (op" in words for words in refused) and len(refused) == ROUNDS
    count = "SELECT count(*), count(ended_ms), max(n) FROM run, (SELECT count(*) n FROM run WHERE ended_ms IS NULL)"
    assert Records(path).read(lambda connection: connection.execute(count).fetchone()) == (ROUNDS, ROUNDS, 0)


# A token revoked midway


def test_a_token_revoked_midway_ends_the_run_and_says_what_was_done(here: Place) -> None:
    token = here.desk.plan(here.request(again="rejected")).confirm(reason="why", typed=PHRASE)
    view = here.ended(token)
    assert view.run is not None and view.run.outcome is RunOutcome.FAILED and view.run.ended_ms is not None
    stays = "done before, and stays: make the first file; undo: radar scripted --undo"
    assert view.run.words == f"make the second file: the remote says no; {stays}"
    assert [step.outcome for step in view.steps] == [StepOutcome.DONE, StepOutcome.FAILED, None, None]
    assert here.made() == {"ask"}
    here.desk.plan(here.request()).confirm(reason="why", typed=PHRASE)  # nothing holds the next one up


# Clocks


class Wall:
    """A clock on the wall that people can turn."""

    def __init__(self) -> None:
        self.at_ms = 1_800_000_000_000

    def __call__(self) -> int:
        return self.at_ms


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> Wall:
    clock = Wall()
    monkeypatch.setattr(journal, "now_ms", clock)
    monkeypatch.setattr(due, "wall_ms", clock)
    return clock


HOUR_MS = 3_600_000


@pytest.mark.parametrize(("turned_ms", "armed"), [
    (0, True), (ARMED_MS - 1, True), (ARMED_MS, False), (24 * HOUR_MS, False), (-1, False), (-24 * HOUR_MS, False),
])  # fmt: skip
def test_arming_ends_whichever_way_the_clock_is_turned(tmp_path: Path, wall: Wall, turned_ms: int, armed: bool) -> None:
    own = Journal(Records.open(tmp_path / "records.db"), OP1)
    own.arm("it is broken")
    wall.at_ms += turned_ms
    assert bool(own.armed()) is armed


def test_a_clock_turned_back_and_forth_does_not_arm_again(tmp_path: Path, wall: Wall) -> None:
    own = Journal(Records.open(tmp_path / "records.db"), OP1)
    wall.at_ms += 24 * HOUR_MS  # it was wrong when somebody armed
    own.arm("it is broken")
    wall.at_ms -= 24 * HOUR_MS
    assert own.armed() == ""
    own.arm("set right")
    assert own.armed() == "set right"
    wall.at_ms += 24 * HOUR_MS  # a day later nobody remembers
    assert own.armed() == ""


def test_a_run_goes_on_whatever_the_clock_does(tmp_path: Path, wall: Wall) -> None:
    own = Journal(Records.open(tmp_path / "records.db"), OP1)
    run, _ = own.begin(beginning("a1"))
    wall.at_ms -= 24 * HOUR_MS
    own.intend(run, "ask")
    with pytest.raises(Busy):  # the lease is the row, not its age
        Journal(Records.open(tmp_path / "records.db"), OP2).begin(beginning("b1"))
    wall.at_ms += 48 * HOUR_MS
    with pytest.raises(Busy):
        Journal(Records.open(tmp_path / "records.db"), OP2).begin(beginning("b2"))
    own.end(run, RunOutcome.DONE, "well")
    assert [entry.outcome for entry in own.entries(run)] == ["intended"]
    stored = own.find("a1")
    assert stored is not None and stored.ended_ms is not None


@pytest.mark.parametrize(("turned_ms", "state"), [
    (-24 * HOUR_MS, "waiting"), (HOUR_MS - 1, "waiting"), (HOUR_MS, "taken"), (HOUR_MS + 11 * 60_000, "missed"),
    (24 * HOUR_MS, "missed"),
])  # fmt: skip
def test_what_is_due_follows_the_clock_that_people_were_told_and_is_missed_when_it_leaps(
    tmp_path: Path, wall: Wall, turned_ms: int, state: str
) -> None:
    records = Records.open(tmp_path / "records.db")
    row = due.add(records, key="k", due_ms=wall.at_ms + HOUR_MS, action="maintenance", parameters={}, title="t",
                  reason="r", operator="op1 (uid)", operator_uid=1001)  # fmt: skip
    wall.at_ms += turned_ms
    given = due.claim(records, wall.at_ms)
    found = due.find(records, row.id)
    assert found is not None and found.state == state
    assert [entry.id for entry in given] == ([row.id] if state == "taken" else [])
    wall.at_ms -= 2 * HOUR_MS  # turned back afterwards: it is not given a second time
    assert due.claim(records, wall.at_ms) == ()
