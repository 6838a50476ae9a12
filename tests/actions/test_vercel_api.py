"""Vercel as actions use it: every recorded answer, what is sent, and what each refusal means."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from console.actions import wire
from console.actions.vercel_api import VercelApi, configured, match
from console.actions.wire import Rejected
from console.model.configuration import Secret, Vercel
from console.model.observation import Json
from console.model.ports import Refused
from console.model.vercel_project import (
    Deployment,
    Project,
    deployment_of,
    deployments_of,
    project_of,
    told,
    unmoved_of,
    variables_of,
    why_not,
)
from console.model.wire import Unanswered
from console.sources.faults import Fault
from console.sources.http import Clients, Limits
from tests.actions.hosting import LIST, NEW, NORMAL, OLD, PREVIEW, STAGED, TOKEN
from tests.sources.loopback import (
    Handler,
    Loopback,
    Seen,
    Writer,
    answering,
    cases,
    hang,
    raw,
    replay,
    response,
    serving,
)


def api(server: Loopback, team: str | None = "team_Example1", project: str = "prj_1") -> VercelApi:
    return VercelApi(Vercel(token=Secret(TOKEN), project=project, team=team, api=server.url()), Clients())


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "LIMITS", Limits(connect_s=1.0, read_s=0.3, total_s=0.5, body_bytes=1 << 20))


@pytest.fixture
async def closed_port() -> AsyncIterator[Loopback]:
    async with serving(hang) as server:
        pass
    yield server


async def told_by(
    handler: Handler, question: Callable[[VercelApi], Awaitable[object]], **more: Any
) -> tuple[Any, Loopback]:
    async with serving(handler) as server:
        try:
            found: object = await question(api(server, **more))
        except (Fault, Rejected, Unanswered) as error:
            found = error
    assert TOKEN not in repr(found) + str(found)
    return found, server


# --- questions ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", cases("vercel_project_get"), ids=lambda case: case["name"])
async def test_every_recorded_project_answer_is_read(case: dict[str, Any]) -> None:
    found, server = await told_by(replay(case), VercelApi.project)
    assert server.requests[0].path == "/v9/projects/prj_1?rollbackInfo=true&teamId=team_Example1"
    assert server.requests[0].headers["authorization"] == f"Bearer {TOKEN}"
    if case["status"] != 200:
        assert isinstance(found, Fault) and str(case["status"]) in found.words and "<html>" not in found.words
        return
    assert isinstance(found, Project) and found.id == NORMAL["id"] and found.link and found.link.repo == "shop-web"
    assert Project.of(json.loads(json.dumps(told(found)))) == found
    request = case["body"]["lastAliasRequest"]
    assert (found.job.status if found.job else None) == (request["jobStatus"] if request else None)


@pytest.mark.parametrize("case", cases("vercel_deployments_list"), ids=lambda case: case["name"])
async def test_every_recorded_list_is_read(case: dict[str, Any]) -> None:
    found, server = await told_by(replay(case), lambda one: one.deployments(target="production", until_ms=5))
    assert "limit=100&target=production&until=5&teamId=" in server.requests[0].path
    if case["status"] != 200:
        assert isinstance(found, Fault)
        return
    listed, next_ms = found
    assert len(listed) == len(case["body"]["deployments"]) and next_ms == case["body"]["pagination"]["next"]
    assert all(Deployment.of(json.loads(json.dumps(told(one)))) == one for one in listed)


def test_unknown_words_are_unknown_and_states_are_small_letters() -> None:
    (strange,), _ = deployments_of(cases("vercel_deployments_list")[2]["body"])
    assert (strange.state, strange.target) == ("unknown", "canary") and "HIBERNATING" not in repr(strange)
    odd = project_of(NORMAL | {"lastAliasRequest": {"jobStatus": "thawing", "type": "teleport", "toDeploymentId": NEW}})
    assert odd.job is not None and (odd.job.status, odd.job.type, odd.job.running) == ("unknown", "unknown", False)


def test_commit_messages_are_disarmed() -> None:
    listed, _ = deployments_of(LIST)
    hostile = next(one for one in listed if one.id.endswith("7"))
    assert hostile.message and "\x1b" not in hostile.message and "\u202e" not in hostile.message
    rounded = next(one for one in listed if one.id == OLD)
    assert rounded.message == "fix: tax rounding", "the first line alone"


def test_all_three_forms_of_alias_assigned() -> None:
    by_id = {one.id: one for one in deployments_of(LIST)[0]}
    assert (by_id[OLD].aliased, by_id[OLD].live_ms) == (True, 1795108895000)
    assert (by_id[STAGED].aliased, by_id[STAGED].live_ms) == (False, None)
    nothing = deployment_of({"uid": "dpl_1", "aliasAssigned": None})
    assert nothing is not None and nothing.aliased is None
    assert deployment_of({"name": "no id"}) is None


def test_why_production_cannot_go_back() -> None:
    by_id = {one.id: one for one in deployments_of(LIST)[0]}
    assert why_not(by_id[OLD], NEW) == ""
    assert why_not(by_id[NEW], NEW) == "it serves production now"
    assert why_not(by_id[STAGED], NEW) == "never served production: it can be promoted"
    assert why_not(by_id[PREVIEW], NEW) == "a preview: never aliased"
    assert {why_not(one, NEW) for one in by_id.values() if one.state in ("building", "error")} >= {"it is building"}
    gone = deployment_of(
        {"uid": "dpl_x", "target": "production", "readyState": "READY", "softDeletedByRetention": True}
    )
    refused = deployment_of(
        {
            "uid": "dpl_y",
            "target": "production",
            "readyState": "READY",
            "aliasAssigned": 5,
            "isRollbackCandidate": False,
        }
    )
    assert gone and refused
    assert "retention" in why_not(gone, NEW) and "takes it for no rollback" in why_not(refused, NEW)


@pytest.mark.parametrize("case", cases("vercel_deployment_get"), ids=lambda case: case["name"])
async def test_every_recorded_deployment_is_read_however_little_of_it_is_told(case: dict[str, Any]) -> None:
    found, server = await told_by(replay(case), lambda one: one.deployment("dpl_1/../x"))
    assert server.requests[0].path.startswith("/v13/deployments/dpl_1%2F..%2Fx?")
    if case["status"] == 200:
        assert isinstance(found, Deployment) and found.id == case["body"]["id"] and found.target == "production"
        assert found.state == case["body"]["readyState"].lower()
    else:
        assert isinstance(found, Fault) and found.http_status == case["status"]


@pytest.mark.parametrize("case", cases("vercel_env_list"), ids=lambda case: case["name"])
async def test_variables_end_without_their_values(case: dict[str, Any]) -> None:
    found, server = await told_by(replay(case), VercelApi.variables)
    assert "decrypt" not in server.requests[0].path
    if case["status"] != 200:
        assert isinstance(found, Fault)
        return
    assert found[0].key == "DATABASE_URL" and found[0].secret and found[0].targets == ("production",)
    assert "https://shop" not in repr(found) and "PLACEHOLDER" not in repr(found)


def test_a_bare_list_of_variables_is_read_too() -> None:
    assert [one.key for one in variables_of([{"key": "A", "value": "hidden"}, {"novalue": 1}])] == ["A"]


@pytest.mark.parametrize("case", cases("vercel_rolling_release"), ids=lambda case: case["name"])
async def test_every_recorded_rolling_release(case: dict[str, Any]) -> None:
    found, _ = await told_by(replay(case), VercelApi.rolling_release)
    if case["status"] != 200:
        assert isinstance(found, Fault)
    elif case["body"]["rollingRelease"] is None:
        assert found is None
    else:
        assert (found.state, found.canary, found.percentage) == ("active", NEW, 10.0)


@pytest.mark.parametrize("case", cases("vercel_rollback_aliases"), ids=lambda case: case["name"])
async def test_failed_domains(case: dict[str, Any]) -> None:
    found, server = await told_by(replay(case), lambda one: one.unmoved("rollback"))
    assert "/rollback/aliases?failedOnly=true&limit=20&teamId=" in server.requests[0].path
    if case["status"] == 200:
        assert found == (("shop.example.com", "www.shop.example.com") if case["body"] else ())
    else:
        assert isinstance(found, Fault)


def test_the_other_form_of_failed_domains_and_those_that_moved() -> None:
    listed: list[Json] = [
        {"alias": "a.example.com", "status": "failed"},
        {"alias": "b.example.com", "status": "completed"},
    ]
    assert unmoved_of({"aliases": listed, "pagination": {"next": 7}}) == (("a.example.com",), 7)


async def test_failed_domains_of_several_pages() -> None:
    pages = [
        {"aliases": [{"alias": f"{name}.example.com", "status": "failed"}], "pagination": {"next": next_ms}}
        for name, next_ms in (("a", 900), ("b", None))
    ]
    waiting = list(pages)

    async def handle(seen: Any, writer: Any) -> None:
        await answering(200, waiting.pop(0))(seen, writer)

    found, server = await told_by(handle, lambda one: one.unmoved("promote"))
    assert found == ("a.example.com", "b.example.com") and "until=900" in server.requests[1].path


@pytest.mark.parametrize("case", cases("vercel_deployment_events")[:2], ids=lambda case: case["name"])
async def test_build_logs_as_lines_and_as_an_array_without_their_colours(case: dict[str, Any]) -> None:
    body = "\n".join(case["body_lines"]).encode() if "body_lines" in case else json.dumps(case["body"]).encode()
    cut = body + b'\n{"type": "stdout", "crea' if "body_lines" in case else body
    found, _ = await told_by(answering(200, cut), lambda one: one.build_log("dpl_1"))
    assert [line.text for line in found] == [
        'Running "npm run build"',
        "Compiled successfully",
        "warn - Using beta feature",
    ]
    assert not any(line.wrong for line in found), "a warning is no error, though it came on stderr"


async def test_an_empty_answer_is_told_as_such() -> None:
    found, _ = await told_by(raw(response(204)), VercelApi.rolling_release)
    assert found is None
    found, _ = await told_by(raw(response(204)), VercelApi.project)
    assert isinstance(found, Fault)


@pytest.mark.parametrize(
    ("team", "scope"), [("team_1", "teamId=team_1"), ("acme & co", "slug=acme%20%26%20co"), (None, None)]
)
async def test_the_team_is_named_by_id_or_by_slug(team: str | None, scope: str | None) -> None:
    _, server = await told_by(answering(200, NORMAL), VercelApi.project, team=team, project="shop web/1")
    assert server.requests[0].path == "/v9/projects/shop%20web%2F1?rollbackInfo=true" + (f"&{scope}" if scope else "")


async def test_a_rate_limit_says_how_long_to_wait() -> None:
    limited = next(case for case in cases("vercel_deployment_get") if case["status"] == 429)
    found, _ = await told_by(replay(limited), lambda one: one.deployment("dpl_1"))
    assert isinstance(found, Fault) and found.retry_after_s == 42.0 and "42" in found.words


# --- finding one ----------------------------------------------------------------------------------------------------


def test_a_deployment_by_id_commit_or_the_beginning_of_one() -> None:
    listed, _ = deployments_of(LIST)
    assert {match(listed, name).id for name in (OLD, "06" * 20, "0606060", "0606")} == {OLD}  # type: ignore[union-attr]
    assert match(listed, "060") is None, "three characters are too few"
    assert match(listed, "ffff") is None


def test_two_commits_of_the_same_beginning_are_refused() -> None:
    one, other = (Deployment(id=f"dpl_{end}", short="aaaa", commit=f"aaaa{end}") for end in "12")
    with pytest.raises(Refused, match="several"):
        match((one, other), "aaaa")
    again = Deployment(id="dpl_3", short="aaaa", commit="aaaa1")
    assert match((again, one), "aaaa") is again, "the newest of several builds of one commit"


async def test_older_deployments_are_looked_for_page_by_page() -> None:
    first = {"deployments": LIST["deployments"][:2], "pagination": {"next": 1000}}
    waiting = [first, {"deployments": LIST["deployments"][2:], "pagination": {"next": None}}]

    async def handle(seen: Any, writer: Any) -> None:
        await answering(200, waiting.pop(0))(seen, writer)

    found, server = await told_by(handle, lambda one: one.find("0606060"))
    assert found.id == OLD and "until=1000" in server.requests[1].path


# --- changes --------------------------------------------------------------------------------------------------------

MEANINGS = {
    401: "no token", 402: "Hobby", 404: "another team", 409: "another rollback", 422: "not eligible", 500: "",
    502: "",
}  # fmt: skip


@pytest.mark.parametrize("move", ["rollback", "promote"])
async def test_every_recorded_answer_to_a_move(move: Any) -> None:
    for case in cases(f"vercel_{move}_request"):
        found, server = await told_by(replay(case), lambda one: one.move(move, NEW, "because & so " + "x" * 300))
        assert len(server.requests) == 1, "a change is sent once"
        request, status = server.requests[0], case["status"]
        assert request.method == "POST" and request.body == b"{}"
        if status < 300:
            assert found.status == status and found.asked_ms > 0
        elif status >= 500:
            assert isinstance(found, Unanswered)
        elif status == 403:
            bad = "not valid or has expired" if case["body"]["error"].get("invalidToken") else "may not do this"
            assert isinstance(found, Rejected) and bad in found.words
        else:
            assert isinstance(found, Rejected) and MEANINGS[status] in found.words, found
    query = server.requests[0].path.partition("?")[2]
    described = "description=because%20%26%20so%20" + "x" * 237 + "&"
    assert (described in query) == (move == "rollback")


@pytest.mark.parametrize("envelope", ["error", "err", None])
async def test_all_envelopes_of_an_error(envelope: str | None) -> None:
    inner = {"code": "forbidden", "message": "Not authorized", "invalidToken": True}
    body = {envelope: inner} if envelope else inner
    found, _ = await told_by(answering(403, body), lambda one: one.move("rollback", NEW))
    assert found.words == "Vercel answers 403: Not authorized (the token is not valid or has expired)"


@pytest.mark.parametrize(
    ("status", "words"), [(400, "Vercel answers 400"), (410, "radar needs an update"), (429, "asks for 42 s")]
)
async def test_other_refusals(status: int, words: str) -> None:
    answer = answering(status, {"error": {"message": "no"}}, {"retry-after": "42"} if status == 429 else {})
    found, _ = await told_by(answer, lambda one: one.move("rollback", NEW))
    assert isinstance(found, Rejected) and words in found.words and found.status == status


async def test_html_is_no_message() -> None:
    page = answering(404, b"<html><body>gone</body></html>", {"content-type": "text/html"})
    found, _ = await told_by(page, lambda one: one.move("rollback", NEW))
    assert isinstance(found, Rejected) and "<" not in found.words


async def test_a_time_out_after_the_request_was_sent_is_unknown() -> None:
    found, server = await told_by(hang, lambda one: one.move("rollback", NEW))
    assert isinstance(found, Unanswered) and len(server.requests) == 1


async def test_a_connection_that_ends_in_the_answer_is_unknown() -> None:
    async def cut(_seen: Any, writer: Any) -> None:
        writer.write(b"HTTP/1.1 201 Created\r\ncontent-length: 500\r\n\r\n{")
        await writer.drain()
        writer.close()

    found, _ = await told_by(cut, lambda one: one.move("rollback", NEW))
    assert isinstance(found, Unanswered)


async def test_no_connection_is_certainly_not_carried_out(closed_port: Loopback) -> None:
    with pytest.raises(Rejected):
        await api(closed_port).move("rollback", NEW)


async def test_a_build_whose_answer_is_cut_is_unknown_and_another_is_told() -> None:
    for body in (b'{"id": "dpl_', b"{}", b""):
        found, _ = await told_by(answering(200, body), lambda one: one.create({"name": "x"}))
        assert isinstance(found, Unanswered)
    found, server = await told_by(
        answering(200, {"id": "dpl_1", "readyState": "QUEUED"}), lambda one: one.create({"name": "x"})
    )
    assert (found.id, found.state) == ("dpl_1", "queued") and json.loads(server.requests[0].body) == {"name": "x"}


async def test_a_build_is_cancelled_by_patch() -> None:
    found, server = await told_by(answering(200, {"id": "dpl_1"}), lambda one: one.cancel("dpl_1"))
    assert found.status == 200 and server.requests[0].method == "PATCH"
    assert server.requests[0].path == "/v12/deployments/dpl_1/cancel?teamId=team_Example1"


async def test_the_servers_own_clock_counts_where_it_tells_it() -> None:
    answer = answering(201, {}, {"date": "Fri, 20 Nov 2026 03:04:05 GMT"})
    found, _ = await told_by(answer, lambda one: one.move("rollback", NEW))
    assert found.asked_ms == 1795143845000


def variables_in_pages(pages: int) -> Handler:
    async def answer(seen: Seen, writer: Writer) -> None:
        at = int(seen.path.partition("until=")[2].partition("&")[0] or pages)
        envs = [{"key": f"NAME_{at}", "type": "plain", "target": ["production"], "updatedAt": 1}]
        following = {"pagination": {"count": 1, "next": at - 1 or None, "prev": None}}
        await answering(200, {"envs": envs} | following)(seen, writer)

    return answer


async def test_variables_of_every_page_are_read() -> None:
    found, server = await told_by(variables_in_pages(3), lambda one: one.variables())
    assert [each.key for each in found] == ["NAME_3", "NAME_2", "NAME_1"] and len(server.requests) == 3


async def test_more_variables_than_are_read_are_no_shorter_list() -> None:
    found, _ = await told_by(variables_in_pages(9), lambda one: one.variables())
    assert isinstance(found, Fault) and "there are more" in found.words


def test_what_is_not_configured_says_how() -> None:
    with pytest.raises(Refused, match="VERCEL_TOKEN"):
        configured(None)
