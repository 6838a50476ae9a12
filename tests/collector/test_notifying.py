"""Alerts are told once, in order and beside the rounds, whatever the channels and the collectors do."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from console.collector import delivering
from console.collector.delivering import FIRST_RETRY_S, LONGEST_RETRY_S, wait_s
from console.collector.notifying import Notifications, notifications_of, week_of
from console.model.configuration import Egress, Rule
from console.model.operations import Operations
from console.notify.slack import Slack
from console.store import outbox
from console.store.records import Records
from tests.collector.scripted import Clock, answered, scripted, settings, until
from tests.collector.test_run import collecting
from tests.collector.told import (
    KEY,
    TOKEN,
    configured,
    fires,
    judge,
    listening,
    notifying,
    operations,
    rows,
    webhook,
)
from tests.sources.loopback import Seen, Writer, hang, response

HOUR_MS = 3_600_000


async def test_an_alert_and_its_end_are_told_once_to_each(tmp_path: Path) -> None:
    async with listening() as listener:
        chosen = configured(tmp_path, replace(operations(listener), webhooks=(webhook(listener),)))
        async with notifying(chosen) as telling:
            alert = fires()
            for _ in range(3):
                judge(telling, [alert], alert)
            await until(lambda: len(listener.taken) == 3, "all three")
            ended = replace(alert, ended_ms=alert.began_ms + 8 * 60_000)
            for _ in range(3):
                judge(telling, [], ended)
            await until(lambda: list(rows(chosen).values()) == ["sent"] * 6, "the end")
    assert [text.partition("] ")[2] for text in listener.slack()] == [
        "HIGH error-rate/users: 38 % of requests fail",
        "resolved after 8 m: error-rate/users: 38 % of requests fail",
    ]
    assert listener.pages() == [("trigger", "test:error-rate:users"), ("resolve", "test:error-rate:users")]


async def test_alerts_that_begin_together_are_one_message_and_pagerduty_hears_of_each_at_once(tmp_path: Path) -> None:
    async with listening() as listener:
        chosen = configured(tmp_path, operations(listener, group_s=1.5))
        async with notifying(chosen) as telling:
            judge(telling, [fires("a")])
            await until(lambda: len(listener.pages()) == 1, "the first page")
            assert not listener.slack(), "the group still gathers"
            judge(telling, [fires("a"), fires("b")])
            await until(lambda: len(listener.pages()) == 2, "the second page")
            await until(lambda: bool(listener.slack()), "the group")
            judge(telling, [fires("a"), fires("b"), fires("c")])
            await until(lambda: len(listener.slack()) == 2, "what began later")
    assert "error-rate/a" in listener.slack()[0] and "error-rate/b" in listener.slack()[0]
    assert "error-rate/c" in listener.slack()[1]


async def test_nothing_is_told_twice_after_a_restart_and_a_missed_end_is_told(tmp_path: Path) -> None:
    async with listening() as listener:
        chosen = configured(tmp_path, operations(listener))
        async with notifying(chosen) as first:
            judge(first, [fires("a"), fires("b")])
            await until(lambda: set(rows(chosen).values()) == {"sent"} and len(rows(chosen)) == 4, "deliveries")
        async with collecting(replace(chosen, operations=Operations), scripted("health")) as running:
            await running.well()  # observed.db: neither alert is open there any more
        async with notifying(chosen) as second:
            judge(second, [fires("a")])
            await until(lambda: len(listener.pages()) == 3, "the end that nobody lived to tell")
            await until(lambda: set(rows(chosen).values()) == {"sent"}, "deliveries")
    assert listener.pages()[2:] == [("resolve", "test:error-rate:b")]
    assert [text for text in listener.slack() if "error-rate/a" in text] == listener.slack()[:1]


async def test_two_collectors_at_once_tell_it_once(tmp_path: Path) -> None:
    async with listening() as listener:
        chosen = configured(tmp_path, operations(listener))
        async with notifying(chosen) as first, notifying(chosen) as second:
            alerts = [fires(f"s{number}") for number in range(8)]
            for count in range(1, 9):
                judge(first, alerts[:count])
                judge(second, alerts[:count])
                await asyncio.sleep(0)
            await until(lambda: set(rows(chosen).values()) == {"sent"} and len(rows(chosen)) == 16, "deliveries")
    assert sorted(key for _, key in listener.pages()) == sorted(f"test:error-rate:s{n}" for n in range(8))
    told = " ".join(body["blocks"][-1]["elements"][0]["text"] for body in listener.of("/services"))
    assert all(told.count(f":s{number}:") == 1 for number in range(8)), "the events' ids"


async def test_the_collector_itself_tells_what_fires_and_only_one_of_two(tmp_path: Path) -> None:
    rule = Rule(name="queue", series="metrics|business.queue", above=5.0, for_s=0.3, window_s=5.0, minimum_samples=1)
    async with listening() as listener:
        chosen = configured(tmp_path, operations(listener), rules=(rule,))
        asked, other = scripted("health", "metrics"), scripted("health", "metrics")
        for sources in (asked, other):
            sources.sources["metrics"].now = answered("metrics", samples={"business.queue": 9.0})
        async with collecting(chosen, asked), collecting(chosen, other):
            await until(lambda: len(listener.slack()) == 1, "the message")
        async with collecting(chosen, other):
            await until(lambda: other.sources["metrics"].calls > 40, "polls of the next collector")
    assert len(listener.slack()) == 1 and "queue/" in listener.slack()[0]
    assert not listener.pages(), "medium: nobody is paged"


async def test_a_channel_that_hangs_delays_neither_rounds_nor_other_channels(tmp_path: Path) -> None:
    async with listening() as listener:
        listener.answers["/services"] = hang
        chosen = configured(tmp_path, operations(listener))
        asked = scripted("health")
        async with notifying(chosen) as telling, collecting(chosen, asked):
            judge(telling, [fires()])
            await until(lambda: rows(chosen).get("slack error-rate/users began") == "sending", "it to hang")
            calls = asked.sources["health"].calls
            judge(telling, [fires(), fires("b")])
            await until(lambda: len(listener.pages()) == 2, "PagerDuty")
            await until(lambda: asked.sources["health"].calls > calls + 5, "polls meanwhile")
            assert rows(chosen)["slack error-rate/b began"] == "waiting", "one in flight a channel"


async def test_a_channel_that_is_down_is_tried_again_and_gets_all_in_order(tmp_path: Path) -> None:
    async with listening() as listener:
        listener.answers["/v2"] = response(503, b"busy", {"retry-after": "1"})
        chosen = configured(tmp_path, operations(listener))
        async with notifying(chosen) as telling:
            alert = fires()
            judge(telling, [alert])
            await until(lambda: "503" in trouble(chosen), "the failure to be shown")
            judge(telling, [], replace(alert, ended_ms=alert.began_ms + 60_000))
            await until(lambda: len(rows(chosen)) == 4, "the end")
            listener.answers.clear()
            await until(lambda: len(listener.pages()) == 2, "both")
            await until(lambda: not trouble(chosen), "the channel to be well")
    assert [action for action, _ in listener.pages()] == ["trigger", "resolve"]


def trouble(chosen: object) -> str:
    assert hasattr(chosen, "records_path")
    records = Records(chosen.records_path)
    try:
        return " ".join(item.text for item in records.read(lambda connection: outbox.troubles(connection, 1 << 60)))
    finally:
        records.close()


async def test_a_lost_answer_is_shown_as_unknown_and_never_resent(tmp_path: Path) -> None:
    asked: list[Seen] = []

    async def cut(seen: Seen, writer: Writer) -> None:
        asked.append(seen)
        writer.transport.abort()

    async with listening() as listener:
        listener.answers["/services"] = cut
        chosen = configured(tmp_path, operations(listener))
        async with notifying(chosen) as telling:
            judge(telling, [fires()])
            await until(lambda: rows(chosen).get("slack error-rate/users began") == "unknown", "the outcome")
            assert "not known" in trouble(chosen)
            listener.answers.clear()
            judge(telling, [fires(), fires("b")])
            await until(lambda: rows(chosen).get("slack error-rate/b began") == "sent", "the next")
    assert len(asked) == 1 and "error-rate/users" not in "".join(listener.slack())


async def test_while_this_bastion_is_offline_nothing_is_tried_and_later_it_is_told_as_late(tmp_path: Path) -> None:
    clock = Clock()
    async with listening() as listener:
        local = Egress(targets=("http://127.0.0.1:9/",))  # a witness that is local speaks for local channels too
        chosen = configured(tmp_path, operations(listener), egress=local)
        async with notifying(chosen, clock) as telling:
            judge(telling, [fires()], offline=True)
            await until(lambda: len(rows(chosen)) == 2, "the rows")
            clock.wall_offset_ms += 12 * 60_000
            judge(telling, [fires(), fires("b")], offline=True)
            await until(lambda: len(rows(chosen)) == 4, "more rows")
            assert not listener.server.requests and not trouble(chosen), "it is not the channels' fault"
            judge(telling, [fires(), fires("b")])
            await until(lambda: bool(listener.slack()) and len(listener.pages()) == 2, "deliveries")
            body = str(listener.of("/services"))
    assert "Told late: this was 12 m ago" in body


async def test_a_channel_in_the_own_network_is_told_though_the_bastion_is_offline(tmp_path: Path) -> None:
    async with listening() as listener:
        far = Egress(targets=("https://witness.example.com/",))
        async with notifying(configured(tmp_path, operations(listener), egress=far)) as telling:
            judge(telling, [fires()], offline=True)
            await until(lambda: bool(listener.slack()), "the message")


async def test_silence_acknowledgement_and_maintenance_of_the_records_are_heard(tmp_path: Path) -> None:
    async with listening() as listener:
        chosen = configured(tmp_path, operations(listener, escalate_s={"high": 0.5}))
        records = Records.open(chosen.records_path)
        silence = records.silence("error-rate/a", "known", "op1", Clock().wall_ms() + HOUR_MS)
        async with notifying(chosen) as telling:
            alerts = [fires("a"), fires("b")]
            judge(telling, alerts)
            await until(lambda: len(listener.pages()) == 1, "the one that is not silenced")
            records.acknowledge("error-rate", "b", alerts[1].began_ms, "op1", "on it")
            judge(telling, alerts)
            await until(lambda: len(listener.pages()) == 2, "the acknowledgement")
            records.write(
                lambda connection: connection.execute(
                    "INSERT INTO holding(kind, subject, text, owner, began_ms, undo) "
                    "VALUES ('maintenance', 'test', '', 'op1', 0, '')"
                )
            )
            records.end_silence(silence)
            judge(telling, alerts)
            await until(lambda: bool(listener.slack()), "Slack")
            records.write(lambda connection: connection.execute("UPDATE holding SET ended_ms = 1"))
            judge(telling, alerts)
            await until(lambda: len(listener.pages()) == 3, "what still fires after both")

            def raised() -> bool:
                judge(telling, alerts)
                return len(listener.pages()) == 4

            await until(raised, "what nobody acknowledged to be raised")
        records.close()
    a, b = "test:error-rate:a", "test:error-rate:b"
    assert listener.pages() == [("trigger", b), ("acknowledge", b), ("trigger", a), ("trigger", a)]
    assert listener.of("/v2")[-1]["payload"]["severity"] == "critical"


async def test_each_channel_is_tested_once_a_week(tmp_path: Path) -> None:
    clock = Clock()
    async with listening() as listener:
        chosen = configured(tmp_path, operations(listener, test_weekly=True))
        for _ in range(2):
            async with notifying(chosen, clock) as telling:
                judge(telling)
                await until(lambda: bool(rows(chosen)) and set(rows(chosen).values()) == {"sent"}, "the test")
        assert [action for action, _ in listener.pages()] == ["resolve"] and len(listener.slack()) == 1
        clock.wall_offset_ms += 7 * 24 * HOUR_MS
        async with notifying(chosen, clock) as telling:
            judge(telling)
            await until(lambda: len(listener.slack()) == 2, "the next week's")


def test_a_week_begins_on_monday_at_nine() -> None:
    monday_ms = 1_795_424_400_000  # 2026-11-23 09:00 UTC
    assert (week_of(monday_ms - 1), week_of(monday_ms)) == ("2026-W47", "2026-W48")


async def test_with_nothing_configured_nothing_is_made(tmp_path: Path) -> None:
    chosen = settings(tmp_path)
    assert notifications_of(chosen, Clock()) is None
    async with collecting(chosen, scripted("health")) as running:
        await running.well()
    assert not chosen.records_path.exists()


async def test_no_secret_is_in_rows_logs_or_words(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    async def echo(seen: Seen, writer: Writer) -> None:
        """A channel that quotes what it was sent, in an error."""
        writer.write(response(400, seen.path.encode() + b" " + seen.body))
        await writer.drain()

    async with listening() as listener:
        listener.answers |= {"/services": echo, "/v2": echo, "/hook": hang}
        chosen = configured(tmp_path, replace(operations(listener), webhooks=(webhook(listener),)))
        async with notifying(chosen) as telling:
            judge(telling, [fires()])
            await until(lambda: list(rows(chosen).values()).count("failed") == 2, "the refusals")
    kept = b"".join(file.read_bytes() for file in chosen.state_directory.iterdir())
    for secret in (TOKEN, "verysecrettoken", KEY):
        assert secret.encode() not in kept and secret not in caplog.text
    assert b"answers 400" in kept, "the counter-test: the answer was kept"


@pytest.mark.parametrize("attempts", [1, 3, 9, 40, 4000])
def test_waits_grow_to_a_limit_vary_and_obey_the_channel(attempts: int) -> None:
    assert FIRST_RETRY_S / 2 <= wait_s(attempts, None, 0.0) <= wait_s(attempts, None, 1.0) <= LONGEST_RETRY_S
    assert wait_s(attempts, 700.0) >= 700.0 and wait_s(attempts, 1e9) <= 3601.0


async def test_an_outbox_that_cannot_be_used_is_shown_and_told_from_once_it_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivering, "TROUBLE_S", 0.1)
    async with listening() as listener:
        chosen = configured(tmp_path, operations(listener))
        chosen.records_path.write_bytes(b"no database at all" * 100)
        async with notifying(chosen) as telling:
            judge(telling, [fires()])
            await until(lambda: "are not told" in str(telling.facts.get("notifications")), "the trouble to be shown")
            chosen.records_path.unlink()
            judge(telling, [fires()])
            await until(lambda: bool(listener.slack()) and bool(listener.pages()), "the messages")
            await until(lambda: "notifications" not in telling.facts, "the trouble to be over")


async def test_a_defect_in_a_channel_ends_nothing_and_quotes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: object) -> None:
        raise ValueError(f"cannot post to {TOKEN}")

    monkeypatch.setattr(Slack, "deliver", broken)
    async with listening() as listener:
        chosen = configured(tmp_path, operations(listener))
        async with notifying(chosen) as telling:
            judge(telling, [fires()])
            await until(lambda: rows(chosen).get("slack error-rate/users began") == "unknown", "the outcome")
            judge(telling, [fires(), fires("b")])
            await until(lambda: len(listener.pages()) == 2, "the other channel")
            assert "a defect of radar: ValueError" in trouble(chosen)
    assert "verysecret" not in caplog.text


async def test_who_stood_still_and_may_have_been_succeeded_tells_nothing_of_what_it_saw_then(tmp_path: Path) -> None:
    clock = Clock()
    async with listening() as listener:
        chosen = configured(tmp_path, operations(listener))
        made = Notifications(chosen, chosen.operations(), clock)
        judge(made, [fires()])
        clock.boot_offset_ms += 20_000
        made.start()
        try:
            await until(lambda: not made._judged.is_set(), "its look")
            await made._thread.run(lambda: None)
            assert not rows(chosen)
            judge(made, [fires()])
            await until(lambda: bool(listener.pages()), "what it sees now")
        finally:
            await made.close()


async def test_a_lock_on_the_records_does_not_hold_up_the_end(tmp_path: Path) -> None:
    async with listening() as listener:
        chosen = configured(tmp_path, operations(listener))
        Records.open(chosen.records_path).close()
        made = Notifications(chosen, chosen.operations(), Clock())
        with closing(sqlite3.connect(chosen.records_path)) as other:
            other.execute("BEGIN EXCLUSIVE")
            made.start()
            judge(made, [fires()])
            await until(lambda: not made._judged.is_set(), "its look")
            began = asyncio.get_running_loop().time()
            await made.close()
            assert asyncio.get_running_loop().time() - began < 1
            other.execute("ROLLBACK")
