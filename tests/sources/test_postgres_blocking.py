"""The tree of waiters: who is at its head, whatever shape it has."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.sources.postgres_blocking import described, is_ddl, queues, statement, words
from console.sources.postgres_rows import SessionRow, Waiter

PIDS = st.integers(min_value=0, max_value=12)


def waiter(pid: int, *blockers: int, waits_s: float = 5.0, mode: str = "AccessShareLock") -> Waiter:
    return Waiter(pid=pid, blockers=list(blockers), mode=mode, relation="t", waits_s=waits_s)


def running(pid: int, query: str = "select 1", **more: str) -> SessionRow:
    return SessionRow(pid=pid, query_hex=query.encode().hex(), **more)  # type: ignore[arg-type]


def test_all_who_wait_through_others_queue_behind_the_one_who_waits_for_nobody() -> None:
    (queue,) = queues([waiter(3, 2), waiter(2, 1, waits_s=9), waiter(4, 2, 1)], [running(1)])
    assert queue.root_pid == 1
    assert [one.pid for one in queue.waiters] == [2, 3, 4]
    assert queue.longest_s == 9


def test_two_heads_are_two_queues_the_longer_wait_first() -> None:
    found = queues([waiter(2, 1, waits_s=1), waiter(4, 3, waits_s=7)], [])
    assert [queue.root_pid for queue in found] == [3, 1]
    both = queues([waiter(3, 1, 2)], [])
    assert sorted(queue.root_pid for queue in both) == [1, 2], "who waits for two queues behind both"


def test_a_circle_has_a_head_and_an_end() -> None:
    (queue,) = queues([waiter(1, 2), waiter(2, 1), waiter(3, 2)], [running(1), running(2)])
    assert queue.root_pid == 1 and [one.pid for one in queue.waiters] == [2, 3]


def test_who_waits_for_a_circle_is_not_its_head() -> None:
    (queue,) = queues([waiter(1, 3), waiter(2, 3), waiter(3, 2)], [])
    assert queue.root_pid == 2 and [one.pid for one in queue.waiters] == [1, 3]


def test_nobody_waits() -> None:
    assert queues([], [running(1)]) == []
    assert queues([waiter(1)], [running(1)]) == [], "the lock was granted while we looked"


@given(st.dictionaries(PIDS.filter(bool), st.lists(PIDS, max_size=4), max_size=12))
def test_everybody_who_is_blocked_queues_somewhere(blockers: dict[int, list[int]]) -> None:
    found = queues([waiter(pid, *others) for pid, others in blockers.items()], [])
    queued = {one.pid for queue in found for one in queue.waiters}
    heads = {queue.root_pid for queue in found}
    assert {pid for pid, others in blockers.items() if set(others) - {pid}} <= queued | heads
    for queue in found:
        assert queue.root_pid not in {one.pid for one in queue.waiters}
        assert described(queue)["queued"] == len(queue.waiters) > 0
        assert words(queue)


@pytest.mark.parametrize(
    ("query", "ddl", "kind"),
    [
        ("ALTER TABLE t ADD c int", True, "ALTER TABLE"),
        ("-- add it\n/* really */ begin; set lock_timeout = '1s'; alter table t add c int", True, "ALTER TABLE"),
        ("create index concurrently on t (c)", True, "CREATE INDEX"),
        ("vacuum (full) t", True, "VACUUM FULL"),
        ("vacuum t", False, "VACUUM T"),
        ("update t set alter = 1", False, "UPDATE"),
        ("select 'drop table t'", False, "SELECT"),
        ("", False, None),
        ("/* never ends", False, "NEVER"),
    ],
)
def test_what_changes_the_schema(query: str, ddl: bool, kind: str | None) -> None:
    assert is_ddl(waiter(1, 2), running(1, query)) is ddl
    assert statement(running(1, query)) == kind


def test_a_lock_that_shuts_everybody_out_is_one_too() -> None:
    assert is_ddl(waiter(1, 2, mode="AccessExclusiveLock"), None)
    assert not is_ddl(waiter(1, 2), None)


def test_words_name_the_head_without_numbers_that_change() -> None:
    head = running(7, user="alice", application="psql", state="idle in transaction")
    (queue,) = queues([waiter(8, 7, mode="AccessExclusiveLock")], [head, running(8, "alter table t add c int")])
    assert words(queue) == "ALTER TABLE waits for psql of alice (pid 7, idle in transaction)"
    (unseen,) = queues([waiter(8, 7)], [])
    assert words(unseen) == "sessions wait for a session of which nothing is known (pid 7)"
    (prepared,) = queues([waiter(8, 0)], [])
    assert words(prepared) == "sessions wait for a prepared transaction that nobody finished"
    (worker,) = queues([waiter(8, 7)], [running(7, "autovacuum: VACUUM t", backend="autovacuum worker")])
    assert words(worker) == "sessions wait for autovacuum worker (pid 7, autovacuum worker)"


def test_a_hostile_name_stays_in_its_line() -> None:
    head = running(7, user="a\nb\x1b[2J", application="x" * 500)
    (queue,) = queues([waiter(8, 7)], [head])
    assert "\x1b" not in words(queue) and "\n" not in words(queue) and len(words(queue)) < 200
