"""`radar handover`: what the next shift must know."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from console.model.actions import Holding, RunOutcome
from tests.commands.conftest import Collector, Radar, Site
from tests.commands.recorded import HOSTILE, Shift, past

pytestmark = pytest.mark.usefixtures("as_operator")


@pytest.fixture
def shift(site: Site) -> Iterator[Shift]:
    made = Shift(site)
    yield made
    made.close()


def test_a_quiet_shift_says_so(radar: Radar, collector: Collector) -> None:
    collector.round()
    done = radar("handover")
    assert (done.status, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0].startswith("HANDOVER  production  ") and "NOW  healthy" in lines
    assert [lines[lines.index(head) + 1] for head in ("OPEN  what somebody must undo or look after", "FIRING")] == [
        "  nothing", "  nothing"
    ]  # fmt: skip


def test_a_shift_in_which_nobody_collected_is_not_called_healthy(radar: Radar) -> None:
    done = radar("handover")
    assert done.status == 0
    assert "NOW  healthy" not in done.out and "  nothing happened" in done.out


def test_all_that_happened_is_told_in_its_order(radar: Radar, site: Site, shift: Shift) -> None:
    past(site)
    shift.run(RunOutcome.DONE, Holding(kind="pinned", subject="s", text="pinned to 41ab9e0", undo="radar promote x"))
    shift.silence("we know")
    radar("incident", "note", "restarted the worker")
    done = radar("handover")
    assert done.status == 0
    told = [line.strip() for line in done.out.partition("SINCE ")[2].splitlines()[1:]]
    kinds = [line.split("  ")[1].partition(":")[0] for line in told]
    assert kinds[:5] == ["state", "deployment", "state", "alert", "alert over"]
    assert set(kinds[5:]) == {"state", "action", "action over", "silence", "note"}
    assert "restarted the worker" in done.out and "pinned: pinned to 41ab9e0" in done.out
    assert "step" not in kinds, "a shift is not read step by step"


def test_what_fires_is_told_with_who_has_seen_it(radar: Radar, collector: Collector) -> None:
    collector.round(firing=True)
    number = radar("alerts", "--json").document["firing"][0]["id"]
    assert "(seen by nobody)" in radar("handover").out
    radar("ack", str(number), "--note", "mine")
    assert "(seen by nobody)" not in radar("handover").out
    assert radar("handover", "--json").document["firing"][0]["acknowledged"]["note"] == "mine"


@pytest.mark.parametrize(("since", "alert", "deployment"), [
    ("8h", True, True), ("-8h", True, True), ("15m", False, False), ("-15m", False, False), ("20m10s", True, False),
])  # fmt: skip
def test_the_shift_is_as_long_as_it_is_said_to_be(
    radar: Radar, site: Site, since: str, alert: bool, deployment: bool
) -> None:
    past(site)
    kinds = {each["kind"] for each in radar("handover", "--since", since, "--json").document["happened"]}
    assert ("alert" in kinds, "deployment" in kinds) == (alert, deployment)
    assert "alert over" in kinds


def test_a_shift_may_begin_at_a_moment(radar: Radar, site: Site) -> None:
    past(site)
    assert radar("handover", "--since", "yesterday 00:00", "--json").document["since"].endswith("00:00:00Z")


@pytest.mark.parametrize("since", ["soon", "0h", "tomorrow", ""])
def test_a_time_that_is_none_ends_with_3(radar: Radar, since: str) -> None:
    done = radar("handover", "--since", since)
    assert done.status == 3 and "--since: " in done.err and done.out == ""


def test_it_is_one_document(radar: Radar, site: Site, shift: Shift) -> None:
    past(site)
    shift.run(None)
    told = radar("handover", "--json").document
    assert set(told) == {"environment", "at", "since", "state", "reasons", "open", "firing", "happened"}
    assert [item["kind"] for item in told["open"]] == ["interrupted"]
    assert all(each["at"].endswith("Z") for each in told["happened"])


def test_what_comes_from_outside_commands_nothing_and_forges_no_line(radar: Radar, site: Site, shift: Shift) -> None:
    past(site, deployed=HOSTILE)
    shift.silence(HOSTILE)
    radar("incident", "note", f"{HOSTILE}\n\nOPEN  forged")
    done = radar("handover")
    assert not {"\x1b", "\x9b", "‮"} & set(done.out)
    assert not any(line.startswith("OPEN  forged") for line in done.out.splitlines())


def test_a_store_that_cannot_be_read_ends_with_2(radar: Radar, site: Site) -> None:
    site.settings.state_directory.mkdir(parents=True)
    site.settings.observed_path.write_bytes(b"this is no database" * 1000)
    done = radar("handover")
    assert done.status == 2 and done.out == ""
