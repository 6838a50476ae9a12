"""The lease: one poller, taken over when it is dead, never shared, never by a stranger."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from console.store.errors import LeaseLost
from console.store.lease import ABANDONED_MS, TAKEOVER_MS, Holder, difference
from console.store.observe import ObservedStore
from console.store.read import StoreReader
from tests.store.samples import ENVIRONMENT, ManualClock, holder, judged, observed

INTERVALS = {"health": 5.0}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def first(tmp_path: Path, clock: ManualClock) -> ObservedStore:
    return ObservedStore.open(tmp_path / "observed.db", clock)


@pytest.fixture
def second(tmp_path: Path, clock: ManualClock, first: ObservedStore) -> ObservedStore:
    return ObservedStore.open(tmp_path / "observed.db", clock)


def test_a_second_collector_waits_and_is_told_for_whom(first: ObservedStore, second: ObservedStore) -> None:
    assert first.acquire(holder("op1@a", pid=11)) is not None
    assert second.acquire(holder("op2@a", pid=22)) is None
    row = second.lease_row()
    assert row is not None and row.holder.words == "op1@a 11"


def test_a_clean_release_is_taken_at_once(first: ObservedStore, second: ObservedStore) -> None:
    lease = first.acquire(holder())
    assert lease is not None
    first.release(lease)
    assert second.acquire(holder("other", "another fingerprint")) is not None


def test_a_silent_holder_is_replaced_after_15_seconds_and_not_before(
    first: ObservedStore, second: ObservedStore, clock: ManualClock
) -> None:
    assert first.acquire(holder()) is not None
    clock.pass_ms(TAKEOVER_MS - 1)
    assert second.acquire(holder("op2@a")) is None
    clock.pass_ms(1)
    assert second.acquire(holder("op2@a")) is not None


def test_renewing_keeps_it(first: ObservedStore, second: ObservedStore, clock: ManualClock) -> None:
    lease = first.acquire(holder())
    assert lease is not None
    for _ in range(3):
        clock.pass_ms(10_000)
        first.renew(lease)
    assert second.acquire(holder("op2@a")) is None


def test_a_set_wall_clock_takes_nothing_over(first: ObservedStore, second: ObservedStore, clock: ManualClock) -> None:
    assert first.acquire(holder()) is not None
    clock.wall += 3_600_000
    assert second.acquire(holder("op2@a")) is None


def test_other_settings_do_not_take_over(first: ObservedStore, second: ObservedStore, clock: ManualClock) -> None:
    assert first.acquire(holder(fingerprint="f1")) is not None
    clock.pass_ms(ABANDONED_MS - 1)
    assert second.acquire(holder("op2@a", "f2")) is None
    clock.pass_ms(1)  # settings that nobody has any more must not lock the store for ever
    assert second.acquire(holder("op2@a", "f2")) is not None


def test_after_a_reboot_the_holder_is_known_to_be_dead(tmp_path: Path, first: ObservedStore) -> None:
    assert first.acquire(holder()) is not None
    rebooted = ManualClock(boot=3_000, boot_id="boot-2")
    assert ObservedStore.open(tmp_path / "observed.db", rebooted).acquire(holder("op2@a", "f2")) is None
    assert ObservedStore.open(tmp_path / "observed.db", rebooted).acquire(holder("op2@a")) is not None


def test_who_lost_the_lease_writes_nothing_and_is_told(
    first: ObservedStore, second: ObservedStore, clock: ManualClock, tmp_path: Path
) -> None:
    old = first.acquire(holder("op1@a"))
    assert old is not None
    first.write_round(old, clock.wall, [observed()], judged(clock.wall), INTERVALS)
    clock.pass_ms(TAKEOVER_MS)
    new = second.acquire(holder("op2@a", pid=22))
    assert new is not None and new.epoch == old.epoch + 1
    for attempt in (
        lambda: first.write_round(old, clock.wall, [observed("stranger")], None, {}),
        lambda: first.renew(old),
        lambda: first.maintain(old, clock.wall),
    ):
        with pytest.raises(LeaseLost, match="op2@a 22 took over as epoch 2"):
            attempt()
    first.release(old)
    assert second.last_observation("stranger") is None
    second.write_round(new, clock.pass_ms(1000), [observed()], None, INTERVALS)


def test_a_released_lease_writes_nothing(first: ObservedStore, clock: ManualClock) -> None:
    lease = first.acquire(holder())
    assert lease is not None
    first.release(lease)
    with pytest.raises(LeaseLost):
        first.write_round(lease, clock.wall, [observed()], None, {})


def test_what_another_holder_stored_meanwhile_is_known_again(
    first: ObservedStore, second: ObservedStore, clock: ManualClock
) -> None:
    one = first.acquire(holder())
    assert one is not None
    first.write_round(one, clock.wall, [observed()], None, INTERVALS)
    first.release(one)
    two = second.acquire(holder("op2@a"))
    assert two is not None
    second.write_round(two, clock.pass_ms(1000), [observed("ping")], None, INTERVALS)
    second.release(two)
    three = first.acquire(holder())
    assert three is not None
    first.write_round(three, clock.pass_ms(1000), [observed("ping")], None, INTERVALS)
    seen = first.last_observation("ping")
    assert seen is not None and seen.began_ms == clock.wall - 1000


def reader(tmp_path: Path, clock: ManualClock, fingerprint: str, **identities: str) -> StoreReader:
    return StoreReader(
        tmp_path / "observed.db",
        tmp_path / "records.db",
        ENVIRONMENT,
        fingerprint,
        clock.wall_ms,
        identities=identities,
        machine=clock,
    )


def test_a_reader_says_who_collects_and_how_the_settings_differ(
    first: ObservedStore, clock: ManualClock, tmp_path: Path
) -> None:
    theirs = holder("op1@a", "f1", 11, url="https://a", p95_ms="200")
    assert first.acquire(theirs) is not None
    clock.pass_ms(4000)
    same = reader(tmp_path, clock, "f1").health(None).header.collector
    assert (same.alive, same.holder, same.renewed_age_s, same.difference) == (True, "op1@a 11", 4.0, None)
    other = reader(tmp_path, clock, "f2", url="https://b", p95_ms="200").health(None).header.collector
    assert other.difference == "url https://a (ours https://b)"
    clock.pass_ms(TAKEOVER_MS)
    assert not reader(tmp_path, clock, "f1").health(None).header.collector.alive


@pytest.mark.parametrize(
    ("ours", "words"),
    [
        ({}, "other targets, thresholds or credentials than ours"),
        ({"url": "a"}, "token only there"),
        ({"url": "a", "token": "x1", "database": "d"}, "database only here"),
    ],
)
def test_the_difference_is_in_words(ours: dict[str, str], words: str) -> None:
    theirs = Holder(name="op1", pid=1, boot_id="b", fingerprint="f1", identities={"url": "a", "token": "x1"})
    assert difference(theirs, "f2", ours) == words
    assert difference(theirs, "f1", ours) is None
    assert difference(theirs, None, ours) is None


def test_many_differences_are_counted() -> None:
    theirs = replace(holder(), identities={f"k{n}": "1" for n in range(9)})
    words = difference(theirs, "f2", {f"k{n}": "2" for n in range(9)})
    assert words is not None and words.endswith("and 5 more")
