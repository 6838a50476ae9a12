"""`radar open`: what somebody must undo, of every kind; and when there is nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from console.model.actions import Holding, RunOutcome
from console.store.clock import now_ms
from tests.commands.conftest import Collector, Radar, Site
from tests.commands.recorded import HOSTILE, MINUTE_MS, Shift

pytestmark = pytest.mark.usefixtures("as_operator")


@pytest.fixture
def shift(site: Site) -> Iterator[Shift]:
    made = Shift(site)
    yield made
    made.close()


def test_nothing_open_is_well(radar: Radar, collector: Collector) -> None:
    collector.round()
    done = radar("open")
    assert (done.status, done.out) == (
        0,
        "Nothing abnormal is open: no silence, nothing pinned, nothing interrupted.\n",
    )
    assert radar("open", "--json").document["open"] == []


def test_before_anything_was_observed_the_records_are_told_all_the_same(radar: Radar, shift: Shift) -> None:
    shift.silence("we know")
    done = radar("open")
    assert done.status == 1 and "error rate: we know" in done.out


@pytest.mark.parametrize("kind", ["pinned", "freeze", "maintenance"])
def test_what_an_action_left_behind_is_open_until_it_is_undone(
    radar: Radar, collector: Collector, shift: Shift, kind: str
) -> None:
    collector.round()
    until_ms = now_ms() + 60 * MINUTE_MS
    left = Holding(kind=kind, subject="s", text="left behind", undo="radar undo it", expires_ms=until_ms)
    shift.run(RunOutcome.DONE, left)
    done = radar("open")
    assert done.status == 1
    assert f"undo {kind}: radar undo it" in done.out and "left behind" in done.out
    (item,) = radar("open", "--json").document["open"]
    assert (item["kind"], item["text"], item["undo"]) == (kind, "left behind", "radar undo it")
    assert item["owner"] and item["since"] < item["until"]
    shift.records.write(lambda connection: connection.execute("UPDATE holding SET ended_ms = ?", (now_ms(),)))
    assert radar("open").status == 0


def test_a_maintenance_past_its_planned_end_says_for_how_long(radar: Radar, collector: Collector, shift: Shift) -> None:
    collector.round()
    ends_ms = now_ms() - 12 * MINUTE_MS - 5000
    shift.run(RunOutcome.DONE, Holding(kind="maintenance", subject="s", text="of s", undo="x", expires_ms=ends_ms))
    assert " (12 m past)" in radar("open").out
    assert ", 12 m past)" in radar("handover").out
    shift.records.write(lambda connection: connection.execute("UPDATE holding SET kind = 'freeze'"))
    assert "past)" not in radar("open").out


@pytest.mark.parametrize(("outcome", "kind"), [(None, "interrupted"), (RunOutcome.UNKNOWN, "unknown")])
def test_a_run_without_an_end_is_open_with_what_to_do(
    radar: Radar, collector: Collector, shift: Shift, outcome: RunOutcome | None, kind: str
) -> None:
    collector.round()
    number = shift.run(outcome)
    done = radar("open")
    assert done.status == 1
    assert f"run {number}: Roll back" in done.out and f"undo {kind}: radar actions resume {number}" in done.out


def test_what_is_due_is_open_with_its_moment(radar: Radar, collector: Collector, shift: Shift) -> None:
    collector.round()
    number = shift.due("Maintenance on")
    (item,) = radar("open", "--json").document["open"]
    assert (item["kind"], item["undo"]) == ("due", f"radar actions cancel {number}")
    assert item["until"] > item["since"]


def test_what_is_due_and_nobody_will_do_says_so_at_once(radar: Radar, collector: Collector, shift: Shift) -> None:
    collector.round()
    shift.due("Maintenance on")
    assert "nobody will carry it out" not in radar("open").out + radar("maintenance", "status").out
    collector.store.release(collector.lease)  # as at SIGTERM: nothing is renewed any more
    nobody = "nobody will carry it out, since no collector runs: start radar collect"
    assert nobody in radar("open").out and nobody in radar("maintenance", "status").out
    assert nobody in radar("open", "--json").document["open"][0]["text"]
    assert radar("maintenance", "status", "--json").document["carried_out"] is False


def test_a_silence_is_open_until_it_ends(radar: Radar, collector: Collector, shift: Shift) -> None:
    collector.round()
    shift.silence("we know")
    (item,) = radar("open", "--json").document["open"]
    assert (item["kind"], item["text"], item["owner"]) == ("silence", "error rate: we know", "op1 (uid)")
    assert item["undo"] == "radar silence --end 1"
    radar(*item["undo"].split()[1:])
    assert radar("open").status == 0


def test_every_entry_has_one_line_and_commands_nothing(radar: Radar, collector: Collector, shift: Shift) -> None:
    collector.round()
    shift.silence(HOSTILE)
    shift.run(RunOutcome.DONE, Holding(kind="pinned", subject="s", text=HOSTILE, undo="radar promote x"))
    shift.run(None, title=HOSTILE)
    done = radar("open")
    assert not {"\x1b", "\x9b", "‮"} & set(done.out)
    assert [line.split()[0] for line in done.out.splitlines()] == [
        "KIND", "interrupted", "pinned", "silence", "undo", "undo", "undo"
    ]  # fmt: skip


def test_records_that_cannot_be_read_are_told_and_are_not_nothing(
    radar: Radar, collector: Collector, site: Site
) -> None:
    collector.round()
    site.settings.records_path.write_bytes(b"this is no database" * 1000)
    done = radar("open")
    assert done.status != 0 and "records" in done.out + done.err


def test_a_store_that_cannot_be_read_ends_with_2(radar: Radar, site: Site) -> None:
    site.settings.state_directory.mkdir(parents=True)
    site.settings.observed_path.write_bytes(b"this is no database" * 1000)
    done = radar("open")
    assert done.status == 2 and done.err.startswith("radar: ") and done.out == ""
