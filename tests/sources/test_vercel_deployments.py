"""Vercel's list of deployments beside the project: every recorded answer, and what of it the store is given when."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.model import payload
from console.model.configuration import Environment, Secret, Vercel
from console.model.observation import Observation, Outcome
from console.model.vercel_project import STATES
from console.sources import retold, vercel, vercel_deployments
from console.sources.http import Clients
from console.sources.vercel_deployments import item_of
from tests.sources.loopback import Handler, Loopback, Seen, Writer, answering, cases, replay, serving

PROJECT: dict[str, Any] = cases("vercel_project_get")[0]["body"]
PAGE: list[dict[str, Any]] = cases("vercel_deployments_list")[0]["body"]["deployments"]


async def polled(*lists: Handler, projects: tuple[dict[str, Any], ...] = ()) -> tuple[list[Observation], Loopback]:
    """One poll for each of `lists`, which answers both of its questions for the list."""
    told = list(projects)
    now: list[Handler] = []

    async def handle(seen: Seen, writer: Writer) -> None:
        if seen.path.startswith("/v7/deployments"):
            await now[0](seen, writer)
        else:
            await answering(200, told.pop(0) if told else PROJECT)(seen, writer)

    async with serving(handle) as server:
        settings = Vercel(token=Secret("vcp_Example"), project="shop web/1", team="acme", api=server.url())
        (source,) = vercel.build(Environment(name="test", url=server.url(), vercel=settings), Clients())
        found = []
        for each in lists:
            now[:] = [each]
            found.append(await source.observe())
        await source.close()
    return found, server


def listed(seen: Observation) -> list[dict[str, Any]]:
    return [dict(payload.mapping(item)) for item in payload.items(dict(seen.volatile), "deployments")]


def asked(server: Loopback) -> list[str]:
    return sorted(seen.path for seen in server.requests if seen.path.startswith("/v7"))


async def test_production_and_the_newest_of_all_are_asked_for_and_told_once() -> None:
    (seen,), server = await polled(replay(cases("vercel_deployments_list")[0]))
    assert asked(server) == [
        "/v7/deployments?projectId=shop%20web%2F1&limit=20&slug=acme",
        "/v7/deployments?projectId=shop%20web%2F1&target=production&limit=20&slug=acme",
    ]
    assert [item["id"] for item in listed(seen)] == [item["uid"] for item in PAGE]
    first = listed(seen)[0]
    assert (first["short"], first["message"], first["author"]) == (
        "0909090",
        "feat: new cart API (#412)",
        "dev0-example",
    )
    assert (first["state"], first["target"], first["branch"]) == ("ready", "production", "main")
    assert (first["live_ms"], first["ever_live"], first["candidate"]) == (1795169015000, True, False)


@pytest.mark.parametrize(
    ("assigned", "live_ms", "ever"), [(1795169015000, 1795169015000, True), (True, None, True), (False, None, False)]
)
def test_all_three_forms_of_the_assignment(assigned: object, live_ms: int | None, ever: bool) -> None:
    item = item_of(PAGE[0] | {"aliasAssigned": assigned})
    assert (item["live_ms"], item["ever_live"]) == (live_ms, ever)
    assert item_of(PAGE[0] | {"aliasAssigned": None})["ever_live"] is None


def test_the_state_falls_back_and_a_word_of_tomorrow_is_unknown() -> None:
    old = copy.deepcopy(PAGE[1])
    del old["readyState"]
    assert item_of(old)["state"] == "building"
    future = cases("vercel_deployments_list")[2]["body"]["deployments"][0]
    assert (item_of(future)["state"], item_of(future)["target"]) == ("unknown", "canary")


@pytest.mark.parametrize("case", cases("vercel_deployments_list"), ids=lambda case: case["name"])
async def test_every_recorded_answer_leaves_the_projects_own(case: dict[str, Any]) -> None:
    (seen,), _ = await polled(replay(case))
    assert (seen.outcome, seen.words) == (Outcome.ANSWERED, 'live 0909090 "feat: new cart API (#412)"')
    trouble = seen.volatile.get("deployments_trouble")
    assert (trouble is None) == (case["status"] == 200)
    if trouble is not None:
        assert str(trouble).startswith(f"Vercel's list of deployments answers {case['status']}")


async def test_what_was_read_stays_when_the_list_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vercel_deployments, "LIST_S", 0.0)
    good, bad = replay(cases("vercel_deployments_list")[0]), answering(500, {"error": {"message": "boom"}})
    (_, failing, again), _ = await polled(good, bad, good)
    assert listed(failing) and "500: boom" in str(failing.volatile["deployments_trouble"])
    assert isinstance(failing.volatile["deployments_read_ms"], int)
    assert "deployments_trouble" not in again.volatile


async def test_the_list_is_asked_seldom_and_at_once_when_the_project_tells_of_another() -> None:
    good = answering(200, {"deployments": PAGE})
    newer = PROJECT | {"latestDeployments": [{"id": "dpl_new", "readyState": "BUILDING"}]}
    _, calm = await polled(good, good, good)
    _, stirred = await polled(good, good, good, projects=(PROJECT, newer, newer))
    assert (len(asked(calm)), len(asked(stirred))) == (2, 4)


async def test_a_rate_limit_of_the_list_holds_the_list_alone() -> None:
    limited = answering(429, {}, {"retry-after": "120"})
    found, server = await polled(limited, limited)
    assert [seen.outcome for seen in found] == [Outcome.ANSWERED] * 2
    assert len(asked(server)) == 2


async def test_hostile_texts_are_disarmed_and_the_list_is_bounded() -> None:
    evil = PAGE[0] | {"meta": {"githubCommitMessage": "\x1b]52;c;QQ==\x07 \u202e", "githubCommitRef": "x" * 5000}}
    many = [evil | {"uid": f"dpl_{number}"} for number in range(60)]
    (seen,), _ = await polled(answering(200, {"deployments": many}))
    assert len(listed(seen)) == 20
    assert not set(repr(seen)) & {"\x1b", "\x07", "\u202e"}
    assert len(repr(listed(seen)[0])) < 2000


VALUES: st.SearchStrategy[Any] = (
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just([]) | st.just({})
)


@given(st.dictionaries(st.sampled_from([*PAGE[0], "deleted", "errorMessage"]), VALUES))
def test_fields_of_any_type_are_read_without_an_error(body: dict[str, Any]) -> None:
    item = item_of(body)
    assert not item or (item["id"] and item["state"] in (*STATES, "unknown"))


def test_a_list_is_given_while_it_is_news_and_now_and_then() -> None:
    kept = retold.Retold()
    given_at = [second for second in range(0, 2000, 20) if kept.is_due(["a"] if second < 1000 else ["b"], second)]
    assert given_at == [0, 20, 40, 60, 660, 1000, 1020, 1040, 1060, 1660]
