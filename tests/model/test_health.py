"""Health answers judged from their checks: any shape, any lie, any garbage."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.model.health import CheckStatus, Health, is_cached, parse_health, status_of, steady
from console.model.observation import Outcome
from console.model.states import State, rank

JSON = {"content-type": "application/json"}


def judged(body: object, status: int = 200, headers: dict[str, str] | None = None) -> Health:
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    return parse_health(status, headers or JSON, sent)


def answer(claimed: object = "healthy", **checks: object) -> dict[str, Any]:
    return {"status": claimed, "checks": {name: {"status": said} for name, said in checks.items()}}


@pytest.mark.parametrize(
    ("body", "state", "contradiction"),
    [
        (answer(database="pass"), State.HEALTHY, False),
        (answer(database="pass", memory="fail"), State.HEALTHY, False),
        (answer(database="pass", heapUsed="fail"), State.HEALTHY, False),
        (answer(database="fail"), State.UNHEALTHY, True),
        (answer(database="fail", memory="pass"), State.UNHEALTHY, True),
        (answer("unhealthy", database="fail"), State.UNHEALTHY, True),
        (answer("unhealthy", database="pass"), State.DEGRADED, True),
        (answer("degraded", database="pass"), State.DEGRADED, False),
        (answer(database="warn"), State.DEGRADED, False),
        (answer(database="purple"), State.UNKNOWN, False),
        (answer(memory="pass"), State.UNKNOWN, False),
        (answer(), State.UNKNOWN, False),
        ({"status": "healthy"}, State.UNKNOWN, False),
        ({"checks": {"database": {"status": "pass"}}}, State.HEALTHY, False),
        ({"healthy": True, "checks": {"database": True}}, State.HEALTHY, False),
        ({"ok": False}, State.DEGRADED, True),
        ({"database": "working", "cache": "working"}, State.HEALTHY, False),
        ({"status": "Healthy", "entries": {"sql": {"status": "Unhealthy"}}}, State.UNHEALTHY, True),
        ({"status": "up", "checks": [{"name": "db", "status": "UP"}, {"status": "down"}]}, State.UNHEALTHY, True),
        ({"status": "ok", "info": {"a": {"status": "up"}}, "error": {"b": {"status": "down"}}}, State.UNHEALTHY, True),
        ("OK", State.UNKNOWN, False),
    ],
)
def test_the_checks_decide_and_a_good_claim_proves_nothing(body: object, state: State, contradiction: bool) -> None:
    health = judged(body)
    assert (health.outcome, health.state) == (Outcome.ANSWERED, state)
    assert health.facts["contradiction"] is contradiction


@pytest.mark.parametrize("body", [answer(database="pass"), answer("unhealthy"), {}, {"status": "healthy"}])
def test_a_5xx_is_never_well(body: object) -> None:
    health = judged(body, 503)
    assert (health.outcome, health.state) == (Outcome.ANSWERED, State.UNHEALTHY)
    assert health.words.startswith("503")


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_probe_is_forbidden(status: int) -> None:
    assert judged({"error": "no"}, status).outcome is Outcome.FORBIDDEN


def test_a_missing_endpoint_is_unknown() -> None:
    health = judged({"message": "not found"}, 404)
    assert (health.outcome, health.state) == (Outcome.FAILED, State.UNKNOWN)


def test_words_name_the_failing_checks_and_what_they_say() -> None:
    body = {
        "status": "healthy",
        "checks": {"database": {"status": "fail", "message": "timeout after 5003ms"}, "redis": "down"},
    }
    assert judged(body).words == 'database, redis fails: timeout after …ms; yet it answers 200 and claims "healthy"'


def test_facts_do_not_change_with_the_moment() -> None:
    def at(moment: str, took: str, share: str) -> Health:
        checks = {
            "database": {"status": "fail", "message": f"no answer within {took} at {moment}"},
            "memory": {"status": "fail" if share > "95" else "pass", "message": f"Memory usage is high: {share}%"},
        }
        return judged({"status": "healthy", "timestamp": moment, "checks": checks, "responseTime": took})

    first, second = at("2026-11-20T10:15:00Z", "5003ms", "91.2"), at("2026-11-20T10:15:05.123Z", "5017.5ms", "97.9")
    assert (first.facts, first.words) == (second.facts, second.words)
    assert first.checks["memory"].status is CheckStatus.PASS and second.checks["memory"].status is CheckStatus.FAIL


def test_what_is_steady_about_a_text() -> None:
    assert (
        steady("took 12ms, 91.2% of 512 MB in 3 tries on port 5432") == "took …ms, …% of … MB in 3 tries on port 5432"
    )


@pytest.mark.parametrize(
    ("headers", "cached"),
    [
        ({}, False),
        ({"age": "0"}, False),
        ({"age": "000"}, False),
        ({"age": "-1"}, False),
        ({"age": "soon"}, False),
        ({"age": "1"}, True),
        ({"x-vercel-cache": "MISS"}, False),
        ({"x-vercel-cache": "hit"}, True),
        ({"x-vercel-cache": "STALE"}, True),
    ],
)
def test_what_counts_as_cached(headers: dict[str, str], cached: bool) -> None:
    assert is_cached(headers) is cached


def test_hundreds_of_checks_are_cut_and_that_is_said() -> None:
    health = judged(answer(**{f"check{number}": "pass" for number in range(500)}))
    assert len(health.checks) == 51
    assert health.checks["450 more"].status is CheckStatus.UNKNOWN
    assert health.state is State.UNKNOWN
    assert len(health.words) <= 300


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(["pass", "fail"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(max_size=8) | st.sampled_from(["status", "checks", "message", "database"]), inner, max_size=4
        )
    ),
    max_leaves=20,
)


@given(
    st.integers(200, 599),
    st.dictionaries(
        st.sampled_from(["content-type", "age", "x-vercel-cache", "x-vercel-mitigated"]), st.text(max_size=9)
    ),
    st.binary(max_size=300) | JSON_VALUES.map(lambda value: json.dumps(value).encode()),
)
def test_nothing_makes_it_raise_and_garbage_is_never_green(status: int, headers: dict[str, str], body: bytes) -> None:
    health = parse_health(status, headers, body)
    assert health.words and len(health.words) <= 300
    json.dumps(dict(health.facts), allow_nan=False)
    if health.outcome is not Outcome.ANSWERED:
        assert health.state is not State.HEALTHY
    if status >= 500 and health.outcome is Outcome.ANSWERED:
        assert health.state is State.UNHEALTHY


STATUSES = st.sampled_from(["pass", "warn", "fail", "ok", "down", "purple", True, False, None])


@given(STATUSES, st.dictionaries(st.sampled_from(["database", "redis", "queue", "memory"]), STATUSES))
def test_the_flapping_check_never_moves_the_state(claimed: object, checks: dict[str, object]) -> None:
    without = {name: said for name, said in checks.items() if name != "memory"}
    with_failing = judged(answer(claimed, **without, memory="fail"))
    with_passing = judged(answer(claimed, **without, memory="pass"))
    assert (with_failing.state, with_failing.words, with_failing.facts) == (
        with_passing.state,
        with_passing.words,
        with_passing.facts,
    )


@given(STATUSES, st.dictionaries(st.sampled_from(["database", "redis", "queue"]), STATUSES, min_size=1))
def test_a_worse_check_never_makes_a_better_state(claimed: object, checks: dict[str, object]) -> None:
    worse = judged(answer(claimed, **checks | {"database": "fail"}))
    assert rank(worse.state) >= rank(judged(answer(claimed, **checks)).state)
    assert worse.state is State.UNHEALTHY


def test_words_of_other_languages_are_unknown() -> None:
    assert status_of("gesund") is status_of(None) is status_of(1) is CheckStatus.UNKNOWN
    assert status_of(" OK. ") is status_of(True) is CheckStatus.PASS
