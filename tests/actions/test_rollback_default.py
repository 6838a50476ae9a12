"""Which deployment a rollback goes back to where none is named: never silently one that something speaks against."""

from __future__ import annotations

from typing import Any

import pytest

from console.actions.rollback import Rollback
from console.model.actions import Plan
from console.model.ports import Refused
from tests.actions.hosting import (
    LIST,
    NEW,
    OLD,
    PROJECT,
    Reads,
    context,
    held,
    hosting,
    job,
    nothing_observed,
    observed,
    planned,
    project,
    rollback_run,
    running,
    shown,
    words_of,
)
from tests.sources.loopback import answering

BUILT_MS = 1_795_100_000_000
BEFORE, BAD, NOW = (f"dpl_{name}" for name in ("before", "bad", "now"))
TEMPLATE = next(entry for entry in LIST["deployments"] if entry["uid"] == OLD)
WELL: dict[str, Any] = {"p95": 90.0, "errors": 0.001}


def deployment(name: str, minute: int, message: str = "", live: int | None = None) -> dict[str, Any]:
    """Built at a minute, and live since a minute after, or since `live`."""
    built_ms = BUILT_MS + minute * 60_000
    meta = {
        **TEMPLATE["meta"],
        "githubCommitSha": f"{sum(name.encode()):08x}" * 5,
        "githubCommitMessage": message or name,
    }
    return {
        **TEMPLATE, "uid": name, "created": built_ms, "createdAt": built_ms, "meta": meta,
        "aliasAssigned": BUILT_MS + (minute + 1 if live is None else live) * 60_000,
    }  # fmt: skip


def at_ms(minute: int) -> int:
    return BUILT_MS + minute * 60_000


async def default(reads: Reads, *listed: dict[str, Any], last: dict[str, Any] | None = None, to: str = "") -> Plan:
    """The plan where the first of them serves."""
    found = project(NEW, last)
    found["targets"]["production"] = {**found["targets"]["production"], **listed[0], "id": listed[0]["uid"]}
    script = hosting().say("project", found).say("deployments", {"deployments": list(listed)})
    async with running(script) as server:
        return await planned(Rollback(), context(server, reads), **({"to": to} if to else {}))


async def test_it_is_what_served_just_before_whatever_was_built_later() -> None:
    served = observed(shown(BEFORE, live_ms=at_ms(30), served_ms=3_600_000, **WELL))
    plan = await default(
        served, deployment(NOW, 9, live=60), deployment(BAD, 20, live=21), deployment(BEFORE, 5, live=30)
    )
    assert plan.data["target"] == BEFORE, "a build that was promoted late served last"
    assert words_of(plan, "target").startswith("pass") and words_of(plan, "passed") == ""


async def test_what_a_later_commit_reverts_is_passed_over_with_the_reason() -> None:
    bad = deployment(BAD, 10, "feat: pricing v2 (#412)")
    plan = await default(
        observed(shown(BEFORE, **WELL), shown(BAD, amiss="/pricing 100 % 5xx")),
        deployment(NOW, 20, 'Revert "feat: pricing v2 (#412)"'),
        bad,
        deployment(BEFORE, 0),
    )
    assert plan.data["target"] == BEFORE
    passed = words_of(plan, "passed")
    assert passed.endswith("; held against it: /pricing 100 % 5xx")
    assert passed.startswith("warn: passed over") and "pricing v2" in passed and "reverts it" in passed


async def test_what_the_store_blames_is_passed_over_and_warns_where_it_is_named() -> None:
    blamed = shown(BAD, served_ms=13_000, amiss="/pricing 100 % 5xx", passed="/pricing 100 % 5xx")
    listed = deployment(NOW, 20), deployment(BAD, 10), deployment(BEFORE, 0)
    plan = await default(observed(blamed, shown(BEFORE, **WELL)), *listed)
    assert plan.data["target"] == BEFORE and "/pricing 100 % 5xx" in words_of(plan, "passed")
    named = words_of(await default(observed(blamed), *listed, to=BAD), "target")
    assert named.startswith("warn") and "ran in production 13 s; held against it: /pricing 100 % 5xx" in named


async def test_what_ran_with_errors_is_passed_over() -> None:
    plan = await default(
        observed(shown(BAD, errors=0.38), shown(BEFORE, **WELL)),
        deployment(NOW, 20), deployment(BAD, 10), deployment(BEFORE, 0),
    )  # fmt: skip
    assert plan.data["target"] == BEFORE and "38 % errors" in words_of(plan, "passed")


async def test_a_rollback_that_was_taken_back_speaks_against_nothing() -> None:
    """Rolled back from B, B promoted again (a false alarm), then C went live and is bad: B it is."""
    b = deployment("dpl_falsely", 10, live=30)
    listed = deployment(NOW, 40), b, deployment(BEFORE, 0, live=20)
    run = rollback_run("dpl_falsely", at_ms=at_ms(20))
    plan = await default(observed(shown("dpl_falsely", live_ms=at_ms(30), **WELL), runs=[run]), *listed)
    assert plan.data["target"] == "dpl_falsely" and words_of(plan, "target").startswith("pass")
    still = await default(observed(runs=[rollback_run("dpl_falsely", at_ms=at_ms(35))]), *listed)
    assert still.data["target"] == BEFORE and "a rollback left it" in words_of(still, "passed")


async def test_nothing_observed_is_not_well() -> None:
    plan = await default(observed(), deployment(NOW, 20), deployment(BEFORE, 0))
    assert words_of(plan, "target").startswith("warn") and "how it did was not observed" in words_of(plan, "target")


async def test_for_how_long_it_ran_is_told_in_all() -> None:
    told = observed(shown(BEFORE, live_ms=at_ms(19), served_ms=3_607_000, **WELL))
    plan = await default(told, deployment(NOW, 20), deployment(BEFORE, 0, live=19))
    assert "ran in production 1 h, p95 90 ms" in words_of(plan, "target")


# Whose choice it is that pushes do not go live

NO_RECORDS: dict[str, Any] = {"actions": None}


@pytest.mark.parametrize(
    ("reads", "rolled_back", "words"),
    [
        (observed(), False, "by somebody's choice"),
        (observed(), True, "by a rollback said to be by op that our records do not hold"),
        (nothing_observed(**NO_RECORDS), False, "by whom is not known: our own records cannot be read"),
        (nothing_observed(**NO_RECORDS), True, "Vercel tells of a rollback said to be by op"),
        (observed(runs=[rollback_run(NEW, to=OLD)]), True, "by a rollback of ours, though the ledger does not hold it"),
        (observed(runs=[rollback_run(NEW, to="dpl_other")]), True, "that our records do not hold"),
        (observed(holdings=[held("pinned", PROJECT, "by rollback to x")]), True, "already by rollback to x (op2)"),
    ],
)  # fmt: skip
async def test_whose_choice_it_is(reads: Reads, rolled_back: bool, words: str) -> None:
    last = job(OLD) if rolled_back else None
    by = {"username": "op", "description": "", "createdAt": 1} if rolled_back else None
    told = project(OLD, last, autoAssignCustomDomains=False, rollbackDescription=by)
    async with running(hosting().say("project", told)) as server:
        said = words_of(await planned(Rollback(), context(server, reads), to=NEW), "pinned")
    assert words in said and said.startswith("warn"), said
    assert ("somebody's choice" in said) is (words == "by somebody's choice")


async def test_a_refused_token_names_what_is_stored_and_its_age() -> None:
    stored = observed(
        shown(NEW, live_ms=at_ms(9)), shown(BAD, live_ms=at_ms(8), passed="x"), shown(OLD, live_ms=at_ms(5))
    )
    refused = answering(403, {"error": {"code": "forbidden", "message": "no", "invalidToken": True}})
    async with running(hosting().say("project", refused)) as server:
        with pytest.raises(Refused, match=rf"vercel rollback {OLD} .*\({OLD}\), as read 1\d s ago"):
            await planned(Rollback(), context(server, stored))
        with pytest.raises(Refused, match=rf"vercel promote {NEW} "):
            await planned(Rollback(), context(server, stored), to=NEW)
