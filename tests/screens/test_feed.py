"""The one reader: answers, changes, trouble, hangs; and the hands beside it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from textual.message import Message
from textual.message_pump import MessagePump

from console.model.ports import Refused, StoreReads
from screens import feed as feeds
from screens.defects import Defects
from screens.feed import Done, Fed, Feed, Hands
from tests.screens.sample import NOW
from tests.screens.scripted import ScriptedReads

DEADLINE_S = 5.0


class Target(MessagePump):
    """Keeps what is posted to it."""

    def __init__(self) -> None:
        super().__init__()
        self.posted: list[Message] = []

    def post_message(self, message: Message) -> bool:
        self.posted.append(message)
        return True

    @property
    def fed(self) -> list[Fed]:
        return [message for message in self.posted if isinstance(message, Fed)]

    @property
    def done(self) -> list[Done]:
        return [message for message in self.posted if isinstance(message, Done)]


def question(reads: StoreReads, at_ms: int | None) -> object:
    return reads.health(at_ms)


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.fixture
def reads() -> ScriptedReads:
    return ScriptedReads()


@pytest.fixture
def defects(tmp_path: Path) -> Defects:
    return Defects(tmp_path / "state" / "defects.txt")


@pytest.fixture
def feed(reads: ScriptedReads, defects: Defects, monkeypatch: pytest.MonkeyPatch) -> Iterator[Feed]:
    monkeypatch.setattr(feeds, "WATCH_S", 0.01)
    made = Feed(reads, lambda: NOW, defects)
    made.start()
    yield made
    made.stop()


def test_a_question_is_answered_at_once_and_again_when_something_was_written(reads: ScriptedReads, feed: Feed) -> None:
    target = Target()
    feed.look(target, question, None)
    until(lambda: len(target.fed) == 1)
    time.sleep(0.1)
    assert len(target.fed) == 1, "nothing was written: nothing is read"
    reads.number += 1
    until(lambda: len(target.fed) == 2)
    assert target.fed[1].trouble is None and target.fed[1].answer is not None


def test_without_writes_it_is_read_anew_after_a_while_so_that_ages_go_on(
    reads: ScriptedReads, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "STEADY_S", 0.05)
    target = Target()
    feed.look(target, question, None)
    until(lambda: len(target.fed) >= 3)


def test_a_store_that_cannot_be_read_is_told_in_its_words_and_recovers(
    reads: ScriptedReads, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "STEADY_S", 0.05)
    reads.trouble = "the disk is full"
    target = Target()
    feed.look(target, question, None)
    until(lambda: target.fed and target.fed[-1].trouble == "the disk is full")
    reads.trouble = None
    until(lambda: target.fed[-1].trouble is None)


def test_a_defect_of_the_store_is_told_and_does_not_end_the_reader(
    reads: ScriptedReads, feed: Feed, defects: Defects
) -> None:
    def broken(reads: StoreReads, at_ms: int | None) -> object:
        password = "hunter2" * 2  # noqa: F841 - what a traceback with locals would show
        raise KeyError("figures")

    target = Target()
    feed.look(target, broken, None)
    until(lambda: target.fed)
    assert target.fed[0].trouble == f"reading the store failed: KeyError: 'figures' (traceback: {defects.path})"
    written = defects.path.read_text()
    assert "in broken" in written and "test_feed.py" in written and "hunter2hunter2" not in written
    assert defects.path.stat().st_mode & 0o777 == 0o600
    feed.look(target, question, None)
    until(lambda: target.fed[-1].answer is not None)


def test_only_the_newest_question_is_kept_up(reads: ScriptedReads, feed: Feed) -> None:
    first, second = Target(), Target()
    feed.look(first, question, None)
    feed.look(second, lambda reads, at_ms: reads.alerts(at_ms), NOW)
    until(lambda: first.fed and second.fed)
    reads.number += 1
    until(lambda: len(second.fed) == 2)
    assert len(first.fed) == 1 and ("alerts", NOW) in reads.asked


def test_what_was_read_early_is_known_to_an_equal_question_only(reads: ScriptedReads, feed: Feed) -> None:
    feed.look(None, question, None)
    until(lambda: feed.known(question, None))
    assert feed.known(question, NOW) is None and feed.known(lambda reads, at_ms: None, None) is None


def test_newer_answers_replace_older_ones_that_wait() -> None:
    assert Fed(1, None, NOW).can_replace(Fed(2, None, NOW))
    assert not Fed(1, None, NOW).can_replace(Done("x"))


def test_a_defect_that_repeats_is_written_once_and_one_that_cannot_be_written_is_told_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    defects = Defects(tmp_path / "defects.txt")

    def words() -> str:
        try:
            raise KeyError("figures")
        except KeyError as error:
            return defects.words(error)

    assert words() == words() and defects.path.read_text().count("Traceback") == 1
    monkeypatch.setattr("screens.defects.LIMIT_BYTES", 10)
    defects.words(ValueError("other"))
    assert "KeyError" not in defects.path.read_text(), "a file that has grown is begun anew"
    (tmp_path / "elsewhere").symlink_to(tmp_path / "nowhere")
    told = Defects(tmp_path / "elsewhere").words(ValueError("other"))
    assert told.startswith("ValueError: other (its traceback could not be written: ")
    assert not (tmp_path / "nowhere").exists()


def test_stopping_does_not_wait_for_a_store_that_hangs(defects: Defects) -> None:
    reads = ScriptedReads(hang=threading.Event())
    feed = Feed(reads, lambda: NOW, defects)
    feed.start()
    feed.look(Target(), question, None)
    until(lambda: reads.asked)
    began = time.monotonic()
    feed.stop()
    assert time.monotonic() - began < 0.9
    assert reads.hang is not None
    reads.hang.set()


def test_hands_say_what_came_of_it_and_do_not_hold_up_the_reader(
    reads: ScriptedReads, feed: Feed, defects: Defects
) -> None:
    def refused() -> None:
        raise Refused("not now")

    def broken() -> None:
        raise OSError("no such device")

    hands, target, hang, got = Hands(defects), Target(), threading.Event(), list[int]()
    hands.do(target, lambda: 7, "done", got.append)
    hands.do(target, refused)
    hands.do(target, broken)
    hands.do(target, hang.wait)
    until(lambda: len(target.done) == 3)
    assert [message.words for message in target.done] == [
        "done",
        "not now",
        f"failed: OSError: no such device (traceback: {defects.path})",
    ]
    assert "in broken" in defects.path.read_text()
    then = target.done[0].then
    assert then is not None
    then()
    assert got == [7]
    feed.look(target, question, None)
    until(lambda: target.fed)
    hang.set()
