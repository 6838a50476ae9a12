"""The ledger is whole: arming and silences with what ends them, messages that came to no good, what nobody will do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from console.model.actions import ARMED_MS
from console.model.ports import Refused
from console.model.views import OpenItem
from console.store import outbox
from console.store.clock import now_ms
from console.store.identity import Who
from console.store.journal import Journal
from console.store.read_open import open_items
from console.store.records import AlertBook, Records

OP1, OP2 = Who(4711, "op1", "loginuid"), Who(4712, "op2", "loginuid")
HOUR_MS = 3_600_000


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    made = Records.open(tmp_path / "records.db")
    yield made
    made.close()


def items(records: Records, tmp_path: Path, uid: int = OP1.uid, later_ms: int = 0) -> list[OpenItem]:
    moment_ms = now_ms() + later_ms
    return list(records.read(lambda connection: open_items(connection, moment_ms, tmp_path, live=True, uid=uid)))


def book(records: Records, who: Who = OP1) -> AlertBook:
    return AlertBook(records, None, who, lambda _: "", str)  # type: ignore[arg-type]  # nobody reads alerts here


def test_who_is_armed_stands_in_the_ledger_and_can_disarm(records: Records, tmp_path: Path) -> None:
    Journal(records, OP1).arm("errors after 8f3c1d2")
    (mine,) = items(records, tmp_path)
    assert (mine.kind, mine.owner, mine.undo) == ("arming", OP1.words, "radar actions disarm")
    assert mine.entry == ("disarm", 0) and "errors after 8f3c1d2" in mine.text
    assert (mine.expires_ms or 0) - (mine.since_ms or 0) == ARMED_MS
    (theirs,) = items(records, tmp_path, uid=OP2.uid)
    assert (theirs.undo, theirs.entry) == ("", None), "nobody else ends it"
    with pytest.raises(Refused, match="not armed"):
        book(records, OP2).disarm()
    assert items(records, tmp_path, later_ms=ARMED_MS + 1) == []
    book(records).disarm()
    assert items(records, tmp_path) == [] and Journal(records, OP1).armed() == ""
    Journal(records, OP1).arm("again")
    assert [item.kind for item in items(records, tmp_path)] == ["arming"]


def message(records: Records, channel: str, state: str, at_ms: int, event: str = "e") -> int:
    """One that has ended so."""
    number = outbox.add(records, event, channel, f"alert {event}", {"kind": "test"}, at_ms=at_ms)
    assert number is not None and outbox.claim(records, at_ms, channel) is not None
    outbox.settle(records, [number], state, f"{channel} says {state}", at_ms=at_ms)  # type: ignore[arg-type]
    return number


@pytest.mark.parametrize(
    ("channel", "state", "stays"),
    [("slack", "unknown", True), ("statuspage", "failed", True), ("slack", "failed", False)],
)
def test_what_may_not_have_been_told_stays_over_the_next_success_until_it_is_seen_to(
    records: Records, tmp_path: Path, channel: str, state: str, stays: bool
) -> None:
    at_ms = now_ms() - 60_000
    number = message(records, channel, state, at_ms)
    (failing,) = items(records, tmp_path)
    assert failing.entry == ("dismiss", number) and failing.undo == f"radar notify dismiss {number}"
    message(records, channel, "sent", at_ms + 1000, "next")
    found = items(records, tmp_path)
    assert [item.entry for item in found] == ([("dismiss", number)] if stays else [])
    if stays:
        assert "'alert e'" in found[0].text and items(records, tmp_path, later_ms=24 * HOUR_MS) == []
        book(records).dismiss(number)
        assert items(records, tmp_path) == []
        with pytest.raises(Refused, match=f"message {number} is none"):
            book(records).dismiss(number)


def test_a_message_that_is_tried_again_cannot_be_dismissed(records: Records, tmp_path: Path) -> None:
    number = outbox.add(records, "e", "slack", "alert", {"kind": "test"})
    assert number is not None and outbox.claim(records, now_ms(), "slack") is not None
    outbox.settle(records, [number], "waiting", "Slack answers 500", due_ms=now_ms() + 60_000)
    (item,) = items(records, tmp_path)
    assert (item.undo, item.entry) == ("", None)
    with pytest.raises(Refused):
        book(records).dismiss(number)
