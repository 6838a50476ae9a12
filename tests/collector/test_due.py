"""What is due is carried out once, at its time, by a real runner; what is too late, lost or refused is told."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from console.collector import due as executor
from console.collector.child import INHERITED
from console.collector.due import DueActions, withdrawal
from console.collector.store_thread import StoreThread
from console.model.actions import RunOutcome
from console.model.configuration import Secret, Settings
from console.model.observation import Json
from console.model.operations import Operations, Slack, Statuspage
from console.notify.statuspage import update_of
from console.store import due
from console.store.clock import Clock as AnyClock
from console.store.clock import now_ms
from console.store.due import CUT_OFF_MS, DueEntry
from console.store.read_open import DUE_GRACE_MS
from console.store.records import Records, identity
from tests.actions.place import ROOT, Place, place
from tests.collector.scripted import Clock, until

RUNNER = (sys.executable, "-m", "tests.actions.scripted")
MINUTE = 60_000


class Rebooted(Clock):
    """The clock after another boot."""

    boot_id = "another boot"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setattr(executor, "INHERITED", (*INHERITED, "PYTHONPATH"))
    made = place(tmp_path, monkeypatch)
    return replace(made, settings=telling(made.settings))


def telling(settings: Settings) -> Settings:
    """The same, with somebody to be told."""
    known = settings.operations()
    slack = Operations(access=known.access, slack=Slack(webhook=Secret("http://127.0.0.1:9/x")))
    return replace(settings, operations=lambda: slack)


@pytest.fixture
def records(here: Place) -> Iterator[Records]:
    with closing(Records(here.settings.records_path)) as found:
        yield found


def announced(here: Place, records: Records, in_ms: int = 0, key: str = "k1", **script: Json) -> DueEntry:
    """A row of the scripted action."""
    who = identity()
    return due.add(
        records, key=key, due_ms=now_ms() + in_ms, action="scripted", parameters={"remote": str(here.remote), **script},
        title="Make two files", reason="as announced", operator=who.words, operator_uid=who.uid,
    )  # fmt: skip


def executing(here: Place, clock: AnyClock | None = None, command: tuple[str, ...] = RUNNER) -> DueActions:
    return DueActions(here.settings, clock or Clock(), StoreThread(), {}, command)


def found(records: Records, number: int) -> DueEntry:
    row = due.find(records, number)
    assert row is not None
    return row


def told(records: Records) -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = records.read(
        lambda connection: connection.execute("SELECT title, json_extract(payload, '$.text') FROM outbox").fetchall()
    )
    return rows


async def begun(records: Records, number: int) -> str:
    """The token of its run."""
    await until(lambda: found(records, number).run_token is not None, "a run stands for it")
    return str(found(records, number).run_token)


async def test_it_is_carried_out_under_the_name_of_who_announced_it(here: Place, records: Records) -> None:
    row = announced(here, records)
    await executing(here).look()
    view = await asyncio.to_thread(here.ended, await begun(records, row.id))
    assert view.run is not None and view.run.outcome is RunOutcome.DONE
    assert (view.run.operator, view.run.reason) == (identity().words, "as announced")
    assert here.made() == {"ask", "again"} and told(records) == []
    assert [each.state for each in here.reader().actions(None).due] == ["taken"]


async def test_it_is_not_carried_out_before_its_time_nor_when_cancelled(here: Place, records: Records) -> None:
    row, other = announced(here, records, 30 * MINUTE), announced(here, records, 0, "k2")
    assert due.cancel(records, other.id, "op2") is not None
    await executing(here).look()
    assert (found(records, row.id).state, found(records, other.id).state) == ("waiting", "cancelled")
    assert found(records, other.id).cancelled_by == "op2" and here.made() == set()


async def test_what_was_taken_cannot_be_cancelled(here: Place, records: Records) -> None:
    row = announced(here, records)
    assert len(due.claim(records, now_ms())) == 1
    cancelled = due.cancel(records, row.id, "op2")
    assert cancelled is not None and cancelled.state == "taken"


# --- clocks -----------------------------------------------------------------------------------------------------------


async def test_a_clock_put_forward_to_its_time_does_it_and_put_back_does_not_do_it_again(
    here: Place, records: Records
) -> None:
    row, clock = announced(here, records, 50 * MINUTE), Clock()
    service = executing(here, clock)
    await service.look()
    assert found(records, row.id).state == "waiting"
    clock.wall_offset_ms = 55 * MINUTE
    await service.look()
    token = await begun(records, row.id)
    await asyncio.to_thread(here.ended, token)
    clock.wall_offset_ms = -5 * MINUTE
    await service.look()
    clock.wall_offset_ms = 60 * MINUTE
    await service.look()
    assert found(records, row.id).run_token == token and len(here.reader().actions(None).runs) == 1


async def test_a_clock_put_far_beyond_its_time_misses_it_and_says_so(here: Place, records: Records) -> None:
    row, clock = announced(here, records, 50 * MINUTE), Clock()
    service = executing(here, clock)
    await service.look()
    clock.wall_offset_ms = 50 * MINUTE + DUE_GRACE_MS + MINUTE
    await service.look()
    assert found(records, row.id).state == "missed" and here.made() == set()
    ((title, text),) = told(records)
    assert title == "Announced and not done: Make two files" and "11 min late" in text
    clock.wall_offset_ms = 50 * MINUTE  # set right again: what was told as missed stays missed
    await service.look()
    assert found(records, row.id).run_token is None and len(told(records)) == 1


def test_a_missed_maintenance_is_told_with_where_who_and_what_to_do_and_taken_off_the_status_page(
    records: Records,
) -> None:
    who = identity()
    row = due.add(
        records, key="run-1", due_ms=now_ms() - 20 * MINUTE, action="maintenance", parameters={"on": True},
        title="Maintenance of demo", reason="as announced", operator=who.words, operator_uid=who.uid,
    )  # fmt: skip
    page = Statuspage(key=Secret("k"), page="p", components=("c1",), api="http://127.0.0.1:9")
    people = due.People(channels=("slack",), where="[demo · test]", public=partial(withdrawal, "demo", page))
    assert due.claim(records, now_ms(), people) == ()
    rows = records.read(
        lambda connection: connection.execute("SELECT channel, payload FROM outbox ORDER BY id").fetchall()
    )
    (_, slack), (channel, public) = rows
    told_people, update = json.loads(slack), update_of(json.loads(public))
    assert told_people["where"] == "[demo · test]"
    assert set(told_people["facts"]) == {"was planned for", "from", "do"} and who.words in told_people["facts"]["from"]
    assert "radar maintenance on --in" in told_people["facts"]["do"]
    assert channel == "statuspage" and update is not None
    assert (update.key, update.status, update.components) == ("run-1", "completed", {"c1": None})
    assert "does not take place" in update.body and row.id == 1


@pytest.mark.parametrize(("late_ms", "state"), [(DUE_GRACE_MS - MINUTE, "taken"), (DUE_GRACE_MS + MINUTE, "missed")])
async def test_after_a_reboot_it_is_done_while_people_still_expect_it(
    here: Place, records: Records, late_ms: int, state: str
) -> None:
    row = announced(here, records, -late_ms)
    await executing(here, Rebooted()).look()
    assert found(records, row.id).state == state
    if state == "taken":
        await asyncio.to_thread(here.ended, await begun(records, row.id))
        assert here.made() == {"ask", "again"}


# --- two of them, and none --------------------------------------------------------------------------------------------


def test_each_row_is_given_once_however_many_take(here: Place, records: Records) -> None:
    for number in range(20):
        announced(here, records, 0, f"k{number}")
    taken: list[int] = []
    start = threading.Barrier(4)

    def take() -> None:
        with closing(Records(here.settings.records_path)) as own:
            start.wait()
            for _ in range(5):
                taken.extend(entry.id for entry in due.claim(own, now_ms()))

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == list(range(1, 21))


async def test_two_executors_begin_one_run(here: Place, records: Records) -> None:
    row = announced(here, records)
    await asyncio.gather(executing(here).look(), executing(here).look())
    await asyncio.to_thread(here.ended, await begun(records, row.id))
    assert len(here.reader().actions(None).runs) == 1


async def test_what_was_taken_and_lost_is_told_and_not_done_again(here: Place, records: Records) -> None:
    row, clock = announced(here, records), Clock()
    due.claim(records, now_ms())  # the process that took it ends here
    service = executing(here, clock)
    await service.look()
    assert told(records) == []
    clock.wall_offset_ms = CUT_OFF_MS + 1000
    await service.look()
    assert "never begun" in found(records, row.id).words and len(told(records)) == 1
    assert here.made() == set()
    assert due.taken(records, row.id) is None, "a runner that comes late begins nothing"


async def test_an_announcement_written_twice_is_one(here: Place, records: Records) -> None:
    first, again = announced(here, records), announced(here, records, 5 * MINUTE)
    assert first == again and len(due.waiting(records)) == 1


# --- refused ----------------------------------------------------------------------------------------------------------


async def test_what_its_preflight_forbids_is_not_done_and_told(here: Place, records: Records) -> None:
    row = announced(here, records, fail=True)
    await executing(here).look()
    await until(lambda: len(told(records)) == 1, "somebody is told")
    assert "as it was scripted" in found(records, row.id).words and here.made() == set()
    assert [each.state for each in here.reader().actions(None).due] == ["refused"]


async def test_who_lost_the_role_meanwhile_does_nothing_any_more(here: Place, records: Records) -> None:
    row = announced(here, records)
    file = here.settings.file
    file.write_text(file.read_text().replace("admins = [", "admins = [] # ["))
    await executing(here).look()
    await until(lambda: len(told(records)) == 1, "somebody is told")
    assert "viewer" in found(records, row.id).words and here.made() == set()


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("/nonexistent/runner",), "cannot be started"),
        ((sys.executable, "-c", "pass"), "without a word"),
        ((sys.executable, "-c", "print('{')"), "without a word"),
    ],
)
async def test_a_runner_that_does_not_run_is_told(
    here: Place, records: Records, command: tuple[str, ...], words: str
) -> None:
    row = announced(here, records)
    await executing(here, command=command).look()
    await until(lambda: len(told(records)) == 1, "somebody is told")
    assert words in found(records, row.id).words and words in told(records)[0][1]


async def test_a_runner_that_says_nothing_is_told_in_time(
    here: Place, records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executor, "ANSWER_S", 0.3)
    monkeypatch.setattr(executor, "END_S", 0.1)
    announced(here, records)
    await executing(
        here, command=(sys.executable, "-c", "import sys; sys.stdin.read(); import time; time.sleep(3)")
    ).look()
    await until(lambda: len(told(records)) == 1, "somebody is told")
    assert "said nothing" in told(records)[0][1]


async def test_secrets_reach_the_runner_by_its_input_alone(here: Place, records: Records, tmp_path: Path) -> None:
    dump = tmp_path / "dump"
    program = (
        "import json, os, sys; line = json.loads(sys.stdin.readline()); "
        f"open({str(dump)!r}, 'w').write(json.dumps([sys.argv, dict(os.environ), line])); "
        "print(json.dumps({'refused': 'no'}))"
    )
    announced(here, records)
    service = DueActions(
        here.settings, Clock(), StoreThread(), {"TOKEN": "secret-4711"}, (sys.executable, "-c", program)
    )
    await service.look()
    await until(lambda: len(told(records)) == 1, "somebody is told")
    arguments, environment, opening = json.loads(dump.read_text())
    assert opening["variables"] == {"TOKEN": "secret-4711"} and opening["due"] == 1
    assert "secret-4711" not in json.dumps([arguments, environment])


async def test_an_unreadable_records_file_is_outlived(here: Place, caplog: pytest.LogCaptureFixture) -> None:
    path = here.settings.records_path
    path.parent.mkdir(parents=True)
    path.write_bytes(b"no database" * 1000)
    service = executing(here)
    assert not await service._tried()
    assert not await service._tried()
    assert len([record for record in caplog.records if "cannot be read" in record.message]) == 1


def test_nothing_is_written_while_nothing_is_due(here: Place, records: Records) -> None:
    announced(here, records, 30 * MINUTE)
    with closing(sqlite3.connect(here.settings.records_path)) as other:
        before = other.execute("PRAGMA data_version").fetchone()
        assert due.next_due_ms(records) is not None
        assert other.execute("PRAGMA data_version").fetchone() == before
