"""People's records: begin and end as rows, by whom, as they were at each moment."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from console.model.judgement import AlertChange
from console.model.ports import Refused
from console.store import ballast
from console.store.identity import Who, identity
from console.store.observe import ObservedStore
from console.store.read import StoreReader
from console.store.records import LONGEST_SILENCE_MINUTES, AlertBook, PollBook, Records
from tests.store.samples import ENVIRONMENT, START_MS, ManualClock, alert, holder, judged, observed

WHO = Who(1000, "op1", "loginuid")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


class Rounds:
    """A collector by hand."""

    def __init__(self, path: Path, clock: ManualClock) -> None:
        self._store, self._clock = ObservedStore.open(path, clock), clock
        lease = self._store.acquire(holder())
        assert lease is not None
        self._lease = lease

    def fire(self, *alerts: AlertChange) -> None:
        at_ms = self._clock.pass_ms(1)
        self._store.write_round(self._lease, at_ms, [observed()], judged(at_ms, alerts=alerts), {"health": 5.0})


@pytest.fixture
def rounds(tmp_path: Path, clock: ManualClock) -> Rounds:
    """Two alerts of one rule fire."""
    rounds = Rounds(tmp_path / "observed.db", clock)
    rounds.fire(alert(subject="routes"), alert(subject="health"))
    return rounds


@pytest.fixture
def reads(tmp_path: Path, clock: ManualClock, rounds: Rounds) -> StoreReader:
    return StoreReader(
        tmp_path / "observed.db", tmp_path / "records.db", ENVIRONMENT, None, clock.wall_ms, machine=clock
    )


@pytest.fixture
def records(tmp_path: Path) -> Records:
    return Records.open(tmp_path / "records.db")


def test_it_is_written_in_full_before_it_is_answered(tmp_path: Path, records: Records) -> None:
    records.request_poll()
    with sqlite3.connect(tmp_path / "records.db") as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "delete"
    assert records._connection is not None
    assert records._connection.execute("PRAGMA synchronous").fetchone()[0] == 2


def test_a_silence_hides_one_subject_and_counts_at_its_time_only(
    clock: ManualClock, reads: StoreReader, records: Records
) -> None:
    silenced_ms = clock.pass_ms(1000)
    number = records.silence("error rate/routes", "known", "op1", silenced_ms + 60_000, silenced_ms)
    view = reads.alerts(None)
    assert {row.subject: row.silenced_by for row in view.firing} == {"routes": "op1", "health": None}
    assert view.header.alerts_firing == 1
    item = view.header.open_items[0]
    assert (item.kind, item.owner, item.expires_ms) == ("silence", "op1", silenced_ms + 60_000)
    assert reads.alerts(silenced_ms - 1).header.alerts_firing == 2
    ended_ms = clock.pass_ms(5000)
    assert records.end_silence(number, "op2", ended_ms)
    assert not records.end_silence(number, "op2", ended_ms + 1)
    assert reads.alerts(None).header.alerts_firing == 2
    assert reads.alerts(ended_ms - 1).header.alerts_firing == 1
    assert reads.alerts(None).silences[0].ended_ms == ended_ms
    assert reads.alerts(ended_ms - 1).silences[0].ended_ms is None


@pytest.mark.parametrize(
    ("matcher", "silenced"),
    [("route-down/api", {"/api"}), ("route-down//api", {"/api"}), ("route-down/", {"/"}), ("route-down/ap", set())],
)
def test_a_route_is_silenced_by_the_alerts_name_and_by_its_name_of_before(
    matcher: str, silenced: set[str], clock: ManualClock, reads: StoreReader, records: Records, rounds: Rounds
) -> None:
    rounds.fire(alert("route-down", "/api"), alert("route-down", "/"))
    records.silence(matcher, "known", "op1", clock.wall + 60_000, clock.wall)
    assert {row.subject for row in reads.alerts(None).firing if row.silenced_by} == silenced


def test_a_silence_of_a_rule_hides_all_its_subjects_until_it_expires(
    clock: ManualClock, reads: StoreReader, records: Records
) -> None:
    began_ms = clock.wall
    records.silence("error rate", "known", "op1", began_ms + 60_000, began_ms)
    assert reads.health(None).header.alerts_firing == 0
    clock.pass_ms(59_999)
    assert reads.health(None).header.alerts_firing == 0
    clock.pass_ms(1)
    view = reads.health(None)
    assert view.header.alerts_firing == 2
    assert view.header.open_items == ()
    assert records.active_silences(clock.wall) == ()


def test_an_acknowledgement_is_of_one_alert_and_of_its_time(
    clock: ManualClock, reads: StoreReader, records: Records
) -> None:
    at_ms = clock.pass_ms(1000)
    records.acknowledge("error rate", "routes", START_MS, "op1", "looking", at_ms)
    rows = {row.subject: row.acknowledged_by for row in reads.alerts(None).firing}
    assert rows == {"routes": "op1", "health": None}
    assert all(row.acknowledged_by is None for row in reads.alerts(at_ms - 1).firing)
    records.acknowledge("error rate", "routes", START_MS, "op2", "took over", clock.pass_ms(1))
    assert [each.by for each in records.acknowledgements("error rate", "routes", START_MS)] == ["op1", "op2"]
    newest = next(row for row in reads.alerts(None).firing if row.subject == "routes")
    assert (newest.acknowledged_by, newest.acknowledged_note) == ("op2", "took over")


def test_acts_that_are_not_possible_are_refused_with_the_reason(reads: StoreReader, records: Records) -> None:
    book = AlertBook(records, reads, WHO, lambda _: "", str)
    with pytest.raises(Refused, match="not firing"):
        book.acknowledge(999, "")
    with pytest.raises(Refused, match="reason"):
        book.silence("error rate", 10, "  ")
    with pytest.raises(Refused, match="rule"):
        book.silence(" ", 10, "known")
    for minutes in (0, -1, LONGEST_SILENCE_MINUTES + 1):
        with pytest.raises(Refused, match="7 days"):
            book.silence("error rate", minutes, "known")
    with pytest.raises(Refused, match="not in force"):
        book.end_silence(42)
    assert records.active_silences() == ()


def test_records_that_cannot_be_written_refuse_in_words(tmp_path: Path, reads: StoreReader) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Refused, match="no directory"):
        book = AlertBook(Records(tmp_path / "file" / "records.db"), reads, WHO, lambda _: "", str)
        book.silence("error rate", 5, "known")
    with pytest.raises(Refused, match="no directory"):
        PollBook(Records(tmp_path / "file" / "records.db"), WHO, lambda _: "").poll_now()


def test_poll_requests_are_taken_once(records: Records) -> None:
    assert records.take_poll_requests() == 0
    PollBook(records, WHO, lambda _: "").poll_now()
    records.request_poll(START_MS, "op2")
    assert records.take_poll_requests() == 2
    assert records.take_poll_requests() == 0


def test_a_request_changes_the_version(reads: StoreReader, records: Records) -> None:
    before = reads.version()
    assert reads.version() == before
    records.request_poll()
    assert reads.version() != before


def test_a_record_whose_writer_is_killed_is_whole_or_absent(tmp_path: Path, reads: StoreReader) -> None:
    program = (
        "import sys\nfrom pathlib import Path\nfrom console.store.records import Records\n"
        f"records = Records(Path({str(tmp_path / 'records.db')!r}))\n"
        "for number in range(10000):\n"
        "    records.silence(f'rule {number}', 'x' * 400, 'op1', 9_000_000_000_000, 1)\n    print(number, flush=True)\n"
    )
    for _ in range(4):
        process = subprocess.Popen(
            [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
        )
        assert process.stdout is not None
        last = [process.stdout.readline() for _ in range(7)][-1]
        process.kill()
        rest = process.stdout.read().split("\n")[:-1]
        process.wait()
        process.stdout.close()
        stored = {row.matcher for row in reads.alerts(None).silences}
        assert f"rule {int((rest or [last])[-1])}" in stored
        assert reads.health(None).header.open_items[0].kind == "silence"


def test_a_reader_undoes_what_a_writer_that_was_killed_left(
    tmp_path: Path, reads: StoreReader, records: Records
) -> None:
    records.silence("error rate", "known", "op1", 9_000_000_000_000, 1)
    assert len(reads.alerts(None).silences) == 1  # it has the file open from before
    program = (
        "import os, sqlite3\n"
        f"connection = sqlite3.connect({str(tmp_path / 'records.db')!r}, isolation_level=None)\n"
        "connection.execute('PRAGMA cache_size = 1')\nconnection.execute('BEGIN IMMEDIATE')\n"
        "for number in range(2000):\n"
        "    connection.execute(\"INSERT INTO poll_request(at_ms, by) VALUES (1, '%s')\" % ('x' * 500))\n"
        "os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=False)
    assert (tmp_path / "records.db-journal").stat().st_size > 0
    view = reads.alerts(None)
    assert [silence.matcher for silence in view.silences] == ["error rate"]
    assert [item.kind for item in view.header.open_items] == ["silence"]


def test_text_that_is_no_unicode_is_recorded_all_the_same(clock: ManualClock, records: Records) -> None:
    records.silence("rule\udcff", "reason \ud800", "op1", clock.wall + 5, clock.wall)
    assert records.active_silences(clock.wall)[0].matcher == "rule?"


def test_the_ballast_comes_back_with_the_next_record(tmp_path: Path, records: Records) -> None:
    ballast.free(tmp_path / "records.db")
    records.request_poll()
    assert ballast.path_of(tmp_path / "records.db").stat().st_size == ballast.BALLAST_BYTES


@pytest.mark.parametrize(
    ("loginuid", "environment", "expected"),
    [
        ("0", {"SUDO_UID": "12345"}, ("root", "loginuid")),
        ("4294967295", {"SUDO_UID": "0"}, ("root", "sudo" if os.getuid() == 0 else "uid")),
        ("4294967295", {"SUDO_USER": "boss", "LOGNAME": "boss"}, (None, "uid")),
        ("", {"SUDO_UID": "not a number"}, (None, "uid")),
        ("4294967295", {"SUDO_UID": "-1"}, (None, "uid")),
    ],
)
def test_who_acts_is_told_by_the_kernel_first(
    loginuid: str, environment: dict[str, str], expected: tuple[str | None, str]
) -> None:
    who = identity(environment, loginuid)
    name, source = expected
    assert who.source == source
    assert name is None or source == "uid" or who.name == name
    assert source != "uid" or who.uid == os.getuid()


def test_an_account_without_a_name_has_a_number() -> None:
    assert identity({}, "54321").words == "uid 54321 (loginuid)"
