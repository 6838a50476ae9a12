"""Messages to channels: each event once to each, in order, and what an ended process leaves behind."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Mapping
from pathlib import Path

import pytest

from console.model.observation import Json
from console.store import outbox
from console.store.outbox import Message
from console.store.records import Records

NOW_MS = 1_790_000_000_000
SECOND_MS = 1000


@pytest.fixture
def records(tmp_path: Path) -> Records:
    return Records.open(tmp_path / "records.db")


def add(
    records: Records,
    event: str,
    channel: str = "slack",
    *,
    payload: Mapping[str, Json] | None = None,
    due_ms: int | None = None,
    at_ms: int = NOW_MS,
) -> int | None:
    return outbox.add(records, event, channel, event.title(), payload or {"text": event}, due_ms, at_ms)


def claimed(records: Records, now_ms: int = NOW_MS, channel: str = "slack") -> Message:
    message = outbox.claim(records, now_ms, channel)
    assert message is not None
    return message


def settle(
    records: Records, message: Message, state: outbox.Settled, words: str = "", due_ms: int | None = None
) -> None:
    outbox.settle(records, [part.id for part in message.parts], state, words, due_ms=due_ms, at_ms=NOW_MS + 1)


def states(records: Records) -> dict[str, str]:
    rows = records.read(lambda connection: outbox.deliveries(connection, NOW_MS * 2))
    return {f"{row.channel}/{row.event}": row.state for row in rows}


def test_an_event_is_taken_once_per_channel(records: Records) -> None:
    assert add(records, "down") is not None
    assert add(records, "down") is None
    assert add(records, "down", "pagerduty") is not None, "another channel is told too"
    assert set(states(records)) == {"slack/down", "pagerduty/down"}


def test_two_processes_that_add_the_same_event_make_one_row(tmp_path: Path) -> None:
    Records.open(tmp_path / "records.db").close()
    made: list[int | None] = []

    def add_many() -> None:
        records = Records.open(tmp_path / "records.db")
        made.extend(add(records, f"event {number}") for number in range(20))
        records.close()

    threads = [threading.Thread(target=add_many) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(made) == 40 and len([each for each in made if each is not None]) == 20


def test_a_claim_is_for_one_and_counts_the_attempt(records: Records) -> None:
    add(records, "first")
    add(records, "second")
    message = claimed(records)
    assert (message.event, message.attempts) == ("first", 1)
    assert outbox.claim(records, NOW_MS, "slack") is None, "one is under way"
    settle(records, message, "sent")
    assert claimed(records).event == "second"


def test_what_is_not_due_waits(records: Records) -> None:
    add(records, "later", due_ms=NOW_MS + SECOND_MS)
    assert outbox.claim(records, NOW_MS, "slack") is None
    assert claimed(records, NOW_MS + SECOND_MS).event == "later"


def test_a_resolution_does_not_overtake_its_alert(records: Records) -> None:
    add(records, "began")
    settle(records, claimed(records), "waiting", "503", NOW_MS + 9 * SECOND_MS)
    add(records, "ended", at_ms=NOW_MS + SECOND_MS)
    assert outbox.claim(records, NOW_MS + 2 * SECOND_MS, "slack") is None
    again = claimed(records, NOW_MS + 9 * SECOND_MS)
    assert (again.event, again.attempts) == ("began", 2)
    add(records, "other", "pagerduty")
    assert claimed(records, channel="pagerduty").event == "other", "another channel does not wait for this one"


def test_a_group_is_one_message_and_others_are_not_in_it(records: Records) -> None:
    for name in ("one", "two"):
        add(records, name, payload={"group": "alerts", "name": name})
    add(records, "notice")
    first = claimed(records)
    assert [part.event for part in first.parts] == ["one", "two"] and first.parts[0].payload["name"] == "one"
    settle(records, first, "sent")
    assert [part.event for part in claimed(records).parts] == ["notice"]


def test_what_a_killed_process_was_sending_is_sent_again_only_where_that_is_harmless(records: Records) -> None:
    for channel in ("slack", "pagerduty", "statuspage", "webhook:audit"):
        add(records, "down", channel)
        claimed(records, channel=channel)
    assert outbox.recover(records, NOW_MS) == 4
    assert states(records) == {
        "slack/down": "unknown",
        "webhook:audit/down": "unknown",
        "pagerduty/down": "waiting",
        "statuspage/down": "waiting",
    }
    assert outbox.claim(records, NOW_MS, "slack") is None
    assert claimed(records, channel="pagerduty").attempts == 2
    assert outbox.recover(Records(Path(records._path)), NOW_MS) == 1, "the one claimed since"


def test_late_news_from_a_process_thought_dead_counts_only_when_it_was_sent(records: Records) -> None:
    add(records, "down")
    message = claimed(records)
    outbox.recover(records, NOW_MS)
    settle(records, message, "waiting", "503", NOW_MS)
    assert states(records) == {"slack/down": "unknown"}, "not sent a second time"
    settle(records, message, "sent")
    assert states(records) == {"slack/down": "sent"}


def test_old_rows_go_and_rows_for_nobody_are_dropped(records: Records) -> None:
    add(records, "old")
    settle(records, claimed(records), "sent")
    add(records, "waiting", "webhook:gone")
    assert outbox.retire(records, NOW_MS + 2, ["slack"]) == 0
    assert states(records) == {"slack/old": "sent", "webhook:gone/waiting": "dropped"}
    assert outbox.retire(records, NOW_MS + outbox.KEPT_MS + 2 * SECOND_MS, ["slack"]) == 2


def test_a_clock_that_was_put_back_delays_no_retry(records: Records) -> None:
    add(records, "down")
    settle(records, claimed(records), "waiting", "503", NOW_MS + SECOND_MS)
    yesterday_ms = NOW_MS - 86_400_000
    assert outbox.claim(records, yesterday_ms, "slack") is None
    outbox.retire(records, yesterday_ms, ["slack"])
    assert claimed(records, yesterday_ms).event == "down"


def test_a_channel_that_fails_is_an_open_item_until_it_gets_through(records: Records) -> None:
    def troubles() -> list[str]:
        return [item.text for item in records.read(lambda connection: outbox.troubles(connection, NOW_MS * 2))]

    add(records, "down")
    assert not troubles(), "nothing was tried yet"
    settle(records, claimed(records), "waiting", "Slack answers 503", NOW_MS)
    assert troubles() == ["notifications: slack failing (1 waiting): Slack answers 503"]
    settle(records, claimed(records), "failed", "Slack answers 404: no_service")
    assert troubles() == ["notifications: slack failing: Slack answers 404: no_service"]
    add(records, "next")
    outbox.settle(records, [part.id for part in claimed(records).parts], "sent", "ok", at_ms=NOW_MS + 2)
    assert not troubles()


def test_no_secret_of_a_known_form_reaches_the_file(records: Records, tmp_path: Path) -> None:
    hook = "https://hooks.slack.com/services/T000/B000/secretsecret"
    outbox.add(records, "e", "slack", f"see {hook}", {"text": [{"deep": f"postgres://u:hunter22@host and {hook}"}]})
    message = claimed(records, NOW_MS * 2)
    outbox.settle(records, [message.parts[0].id], "failed", f"could not POST {hook}")
    stored = (tmp_path / "records.db").read_bytes()
    assert b"secretsecret" not in stored and b"hunter22" not in stored
    assert b"(hidden)" in stored, "the counter-test: the text around it is there"


def test_looking_for_work_writes_nothing(records: Records, tmp_path: Path) -> None:
    outbox.claim(records, NOW_MS, "slack")
    outbox.recover(records, NOW_MS)
    outbox.retire(records, NOW_MS, [])
    with sqlite3.connect(tmp_path / "records.db") as other:
        other.execute("BEGIN IMMEDIATE")  # a lock under which any write would wait and fail
        assert outbox.claim(records, NOW_MS, "slack") is None
        assert outbox.retire(records, NOW_MS, []) == 0
