"""Maintenance announced with notice: the due row, what people are told, and taking it back."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from console.actions import announce
from console.actions.announce import Announce, CancelDue
from console.actions.base import Context
from console.actions.maintenance import SetMaintenance
from console.model.actions import Plan, Risk, RunOutcome
from console.model.ports import Refused
from console.model.times import date_time
from console.store import due
from console.store.clock import SystemClock, now_ms
from console.store.identity import identity
from console.store.observe import Holder, ObservedStore
from console.store.service import Service, service
from tests.actions.hosting import Ran, carried_out, planned, words_of
from tests.actions.upkeep import Stage, context, edge_config, opened, outbox

HOUR = 60 * 60_000


@pytest.fixture(autouse=True)
def _served(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(announce, "service", lambda _: Service(True, "radar@bastion 1 collects"))


async def announced(where: Context, **parameters: object) -> tuple[Plan, Ran]:
    plan = await planned(Announce(), where, **parameters)  # type: ignore[arg-type]  # texts and numbers
    return plan, await carried_out(Announce(), where, plan)


async def test_it_is_due_after_the_promised_hour_and_told_now(tmp_path: Path) -> None:
    stage = Stage()
    async with opened(stage) as server:
        where = context(server, tmp_path, edge_config(server))
        plan, ran = await announced(where, message="We move the database", lasts=45)
    assert ran.outcome is RunOutcome.DONE, ran.words
    (row,) = due.waiting(where.records)
    assert 0 <= now_ms() + HOUR - row.due_ms < 30_000
    assert row.parameters == {
        "on": True, "message": "We move the database", "mail": False, "minutes": 45.0, "announced": "run-token-1",
    }  # fmt: skip
    assert (row.operator, row.reason, row.operator_uid) == (where.operator, where.reason, identity().uid)
    assert not stage.is_on
    (incident,) = stage.incidents
    assert incident["status"] == "scheduled" and incident["scheduled_for"] < incident["scheduled_until"]
    assert set(stage.components.values()) == {"operational"}
    assert [title for _, _, title in outbox(where)] == ["Maintenance of production announced"] * 2
    assert (plan.risk, plan.short_id) == (Risk.DISRUPTIVE, "announce")


async def test_a_resumed_announcement_announces_nothing_twice(tmp_path: Path) -> None:
    stage = Stage()
    async with opened(stage) as server:
        where = context(server, tmp_path, edge_config(server))
        plan, first = await announced(where)
        again = await carried_out(Announce(), where, plan)
    assert first["due"].data == again["due"].data
    assert len(due.waiting(where.records)) == len(stage.incidents) == 1 and len(outbox(where)) == 2


async def test_a_second_announcement_is_refused_until_the_first_is_taken_back(tmp_path: Path) -> None:
    async with opened(Stage()) as server:
        where = context(server, tmp_path, edge_config(server))
        await announced(where)
        later = replace(where, run="run-token-2")
        plan = await planned(Announce(), later)
        assert "already due" in words_of(plan, "announced") and plan.refusals
        await carried_out(CancelDue(), later, await planned(CancelDue(), later))
        assert (await planned(Announce(), later)).refusals == ()


async def test_less_notice_than_promised_is_warned_of(tmp_path: Path) -> None:
    async with opened(Stage()) as server:
        where = context(server, tmp_path, edge_config(server))
        assert words_of(await planned(Announce(), where, minutes=5), "notice").startswith("warn")
        assert words_of(await planned(Announce(), where), "notice") == ""


async def test_what_was_missed_is_the_one_that_cancel_means_without_a_number(tmp_path: Path) -> None:
    async with opened(Stage()) as server:
        where = context(server, tmp_path, edge_config(server))
        row = due.add(where.records, key="k", due_ms=now_ms() - 1_200_000, action="maintenance", parameters={},
                      title="Maintenance on", reason="why", operator="op1", operator_uid=1)  # fmt: skip
        due.claim(where.records, now_ms())
        plan = await planned(CancelDue(), where)
        assert plan.short_id == f"due{row.id}"


async def test_what_is_to_come_is_told_as_such_and_what_is_cancelled_too(tmp_path: Path) -> None:
    stage = Stage()
    async with opened(stage) as server:
        where = context(server, tmp_path, edge_config(server))
        plan, ran = await announced(where, minutes=40 / 60)
        assert plan.title == "Announce maintenance of production in 40 s"
        assert any("takes nothing scheduled without an end" in words for words in plan.afterwards)
        later = replace(where, run="run-token-2")
        await carried_out(CancelDue(), later, await planned(CancelDue(), later))
        payloads = [json.loads(payload) for (payload,) in where.records.read(
            lambda connection: connection.execute("SELECT payload FROM outbox WHERE channel = 'slack' ORDER BY id")
        .fetchall())]  # fmt: skip
    when = f"{date_time(int(str(ran['due'].data['due_ms'])))} UTC"
    (incident,) = stage.incidents
    cancelled, scheduled = (each["body"].partition("\n")[0] for each in incident["incident_updates"])
    assert scheduled == f"Maintenance is planned for {when}."
    assert cancelled == f"The maintenance announced for {when} is cancelled."
    assert payloads[0]["facts"] == {"planned for": when, "from": where.operator, "until": "no planned end"}
    assert payloads[1]["facts"] == {"was planned for": when, "from": where.operator}


async def test_a_notice_or_a_length_that_is_too_long_is_refused_by_its_name(tmp_path: Path) -> None:
    async with opened(Stage()) as server:
        where = context(server, tmp_path, edge_config(server))
        with pytest.raises(Refused, match="the planned length must be above 0 and at most 7 days"):
            await planned(Announce(), where, lasts=8 * 24 * 60)
        with pytest.raises(Refused, match="the notice must be"):
            await planned(Announce(), where, minutes=8 * 24 * 60)


async def test_the_card_gives_the_message_and_a_message_that_would_be_cut_is_refused(tmp_path: Path) -> None:
    async with opened(Stage()) as server:
        where = context(server, tmp_path, edge_config(server))
        for action in (Announce(), SetMaintenance()):
            on: dict[str, object] = {"on": True} if isinstance(action, SetMaintenance) else {}
            plan = await planned(action, where, message="We're back", **on)  # type: ignore[arg-type]
            card = next(line for line in plan.escape if line.startswith("curl -X PATCH"))
            assert json.loads(shlex.split(card)[-1])["items"][0]["value"]["message"] == "We're back"
            with pytest.raises(Refused, match="201 characters; 200 are the limit"):
                await planned(action, where, message="x" * 201, **on)  # type: ignore[arg-type]


async def test_what_was_missed_is_struck_out(tmp_path: Path) -> None:
    async with opened(Stage()) as server:
        where = context(server, tmp_path, edge_config(server))
        row = due.add(where.records, key="k", due_ms=now_ms() - 1_200_000, action="maintenance", parameters={},
                      title="Maintenance on", reason="why", operator="op1", operator_uid=1)  # fmt: skip
        assert due.claim(where.records, now_ms()) == ()
        plan = await planned(CancelDue(), where, due=row.id)
        assert "20 m ago (missed: first seen 20 min late" in plan.checks[0].words
        ran = await carried_out(CancelDue(), where, plan)
        assert ran.outcome is RunOutcome.DONE, ran.words
        with pytest.raises(Refused, match="is cancelled"):
            await planned(CancelDue(), where, due=row.id)


async def test_taking_it_back_tells_that_it_is_cancelled(tmp_path: Path) -> None:
    stage = Stage()
    async with opened(stage) as server:
        where = context(server, tmp_path, edge_config(server))
        await announced(where)
        later = replace(where, run="run-token-2", operator="op2 (loginuid)")
        plan = await planned(CancelDue(), later)
        ran = await carried_out(CancelDue(), later, plan)
        again = await carried_out(CancelDue(), later, plan)
        with pytest.raises(Refused, match="nothing to cancel"):
            await planned(CancelDue(), later)
        with pytest.raises(Refused, match="is cancelled"):
            await planned(CancelDue(), later, due=1)
    assert ran.outcome is again.outcome is RunOutcome.DONE and plan.risk is Risk.SAFE
    assert [incident["status"] for incident in stage.incidents] == ["completed"]
    assert outbox(where)[-1][2] == "Maintenance of production cancelled" and len(outbox(where)) == 4
    assert len(stage.asked("PATCH", "/incidents/")) == 1


async def test_what_was_taken_meanwhile_is_not_taken_back(tmp_path: Path) -> None:
    async with opened(Stage()) as server:
        where = context(server, tmp_path, edge_config(server))
        await announced(where)
        later = replace(where, run="run-token-2")
        plan = await planned(CancelDue(), later)
        due.claim(where.records, now_ms() + HOUR + 1)
        ran = await carried_out(CancelDue(), later, plan)
    assert ran.outcome is RunOutcome.FAILED and "radar maintenance off" in ran.words
    assert len(outbox(where)) == 2


async def test_at_its_time_the_announced_maintenance_goes_on_under_the_same_name(tmp_path: Path) -> None:
    """What the runner does with the row: the page's entry is brought up to date, not made anew."""
    stage = Stage()
    async with opened(stage) as server:
        where = context(server, tmp_path, edge_config(server))
        await announced(where, lasts=45)
        (row,) = due.claim(where.records, now_ms() + HOUR + 1)
        later = replace(where, run="run-token-2")
        plan = await planned(SetMaintenance(), later, **row.parameters)
        ran = await carried_out(SetMaintenance(), later, plan)
    assert ran.outcome is RunOutcome.DONE, ran.words
    assert stage.is_on and [incident["status"] for incident in stage.incidents] == ["in_progress"]
    assert set(stage.components.values()) == {"under_maintenance"}


async def test_ending_one_leaves_what_is_announced_for_later(tmp_path: Path) -> None:
    stage = Stage(flag=True)
    async with opened(stage) as server:
        where = context(server, tmp_path, edge_config(server))
        await announced(where)
        later = replace(where, run="run-token-2")
        await carried_out(SetMaintenance(), later, await planned(SetMaintenance(), later, on=False))
    assert [incident["status"] for incident in stage.incidents] == ["scheduled"]


# --- who will carry it out --------------------------------------------------------------------------------------------


async def test_without_a_service_it_is_refused_and_said_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(announce, "service", service)
    async with opened(Stage()) as server:
        plan = await planned(Announce(), context(server, tmp_path, edge_config(server)))
    assert plan.refusals and "systemctl start radar-collect@" in words_of(plan, "service")


@pytest.fixture
def observed(tmp_path: Path) -> Iterator[ObservedStore]:
    with closing(ObservedStore.open(tmp_path / "observed.db")) as store:
        yield store


def held_by(store: ObservedStore, pid: int) -> None:
    clock = SystemClock()
    lease = store.acquire(Holder(name="radar@bastion", pid=pid, boot_id=clock.boot_id, fingerprint="f"))
    assert lease is not None


def test_a_lease_of_a_living_service_is_one(observed: ObservedStore, tmp_path: Path) -> None:
    held_by(observed, os.getpid())
    found = service(tmp_path / "observed.db")
    assert found.alive is True and "radar@bastion" in found.words


def test_a_console_s_own_collector_is_no_service(observed: ObservedStore, tmp_path: Path) -> None:
    program = "import sys; print('up', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", program, "console.collector"]  # in its command line as in that of a child
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None and child.stdout.readline() == b"up\n"
        held_by(observed, child.pid)
        found = service(tmp_path / "observed.db")
        child.kill()
    assert found.alive is False and "ends with that console" in found.words


def test_a_holder_that_cannot_be_seen_is_not_known(observed: ObservedStore, tmp_path: Path) -> None:
    held_by(observed, 2**22 - 7)
    assert service(tmp_path / "observed.db").alive is None


def test_a_released_or_missing_lease_is_none(observed: ObservedStore, tmp_path: Path) -> None:
    assert service(tmp_path / "observed.db").alive is False
    assert service(tmp_path / "nowhere.db").alive is False
