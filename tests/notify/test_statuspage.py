"""Statuspage: read before every try, so that an update whose answer was lost is not made twice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from console.model.configuration import Secret
from console.model.notifications import Part
from console.notify.channel import Delivery
from console.notify.public_page import PublicPage, Refusal, Update
from console.notify.statuspage import Statuspage, payload_of
from console.notify.wording import trial_notice
from tests.notify.parts import NOW_MS, message, part, wire
from tests.sources.loopback import Handler, Seen, Writer, answering, cases, raw, replay, response, serving

KEY = "statuspage-api-key-secret"


class Page:
    """A page that keeps incidents. `lost`: carries out changes and cuts the line before it answers."""

    def __init__(self) -> None:
        self.incidents: list[dict[str, Any]] = []
        self.lost = False
        self.asked: list[str] = []

    async def __call__(self, seen: Seen, writer: Writer) -> None:
        assert seen.headers["authorization"] == f"OAuth {KEY}"
        path = seen.path.partition("?")[0].removeprefix("/v1/pages/page_1")
        self.asked.append(f"{seen.method} {path}")
        answer: Any = self._change(seen, path) if seen.method != "GET" else self._list(path)
        if self.lost and seen.method != "GET":
            writer.transport.abort()
            return
        writer.write(response(200, json.dumps(answer).encode(), {"content-type": "application/json"}))
        await writer.drain()

    def _list(self, path: str) -> list[dict[str, Any]]:
        over = ("resolved", "completed")
        return [each for each in self.incidents if path != "/incidents/unresolved" or each["status"] not in over]

    def _change(self, seen: Seen, path: str) -> dict[str, Any]:
        given = json.loads(seen.body)["incident"]
        if seen.method == "POST":
            self.incidents.insert(0, {"id": f"inc{len(self.incidents)}"})
        incident = next(each for each in self.incidents if seen.method == "POST" or path.endswith(each["id"]))
        incident |= given
        incident.setdefault("updates", []).append(given["status"])
        return incident


@pytest.fixture
def page() -> Iterator[Page]:
    yield Page()


def update(event: str, status: str = "investigating", **more: Any) -> Part:
    told = Update(key="maintenance:1", name="Maintenance", status=status, body="We work on it.", **more)
    return part(payload_of(told), event)


async def deliver(handler: Handler, *parts: Part) -> list[Delivery]:
    async with serving(handler) as server:
        channel = Statuspage(Secret(KEY), "page_1", server.url(), wire(1.0))
        found = [await channel.deliver(message([each], "statuspage"), NOW_MS) for each in parts]
    assert KEY not in f"{found}"
    return found


async def test_one_incident_with_its_updates_and_its_components(page: Page) -> None:
    components = {"cmp_web": "under_maintenance"}
    begin, end = update("e1", components=components), update("e2", "resolved", components={"cmp_web": "operational"})
    assert [each.state for each in await deliver(page, begin, end)] == ["sent", "sent"]
    (incident,) = page.incidents
    assert incident["updates"] == ["investigating", "resolved"] and incident["components"] == {"cmp_web": "operational"}
    assert incident["component_ids"] == ["cmp_web"] and incident["deliver_notifications"] is False


async def test_subscribers_get_mail_only_where_it_was_asked_for(page: Page) -> None:
    await deliver(page, update("e1", mail=True))
    assert page.incidents[0]["deliver_notifications"] is True


async def test_an_update_whose_answer_was_lost_is_found_and_not_made_twice(page: Page) -> None:
    page.lost = True
    assert [each.state for each in await deliver(page, update("e1"))] == ["again"]
    page.lost = False
    (again,) = await deliver(page, update("e1"))
    assert (again.state, again.words) == ("sent", "the page says it already")
    assert page.incidents[0]["updates"] == ["investigating"]
    page.lost = True
    assert [each.state for each in await deliver(page, update("e2", "resolved"))] == ["again"]
    page.lost = False
    assert (await deliver(page, update("e2", "resolved")))[0].words == "the page says it already", "resolved, and found"
    assert page.incidents[0]["updates"] == ["investigating", "resolved"]
    await deliver(page, update("e3"))
    assert page.incidents[0]["updates"][-1] == "investigating", "the counter-test: another event is said"


async def test_nothing_is_opened_only_to_be_closed(page: Page) -> None:
    assert (await deliver(page, update("e1", "resolved")))[0].state == "sent"
    assert not page.incidents and not [asked for asked in page.asked if not asked.startswith("GET")]


@pytest.mark.parametrize("name", ["statuspage_incident_create", "statuspage_incident_update"])
async def test_every_documented_answer_to_a_change(name: str) -> None:
    states = {200: "sent", 201: "sent", 401: "failed", 403: "failed", 404: "failed", 422: "failed", 420: "again"}
    for case in cases(name):
        known = [{"id": "i", "metadata": {"radar": {"key": "maintenance:1"}}}] if "update" in name else []

        async def handle(seen: Seen, writer: Writer, case: Any = case, known: Any = known) -> None:
            given = raw(response(200, json.dumps(known).encode())) if seen.method == "GET" else replay(case)
            await given(seen, writer)

        (delivery,) = await deliver(handle, update("e1"))
        assert delivery.state == states.get(case["status"], "again"), case["name"]
        if delivery.state == "failed":
            error = case["body"]["error"]
            assert (error[0] if isinstance(error, list) else error) in delivery.words


async def test_html_instead_of_an_answer_is_asked_again() -> None:
    (delivery,) = await deliver(answering(200, b"<html>proxy</html>"), update("e1"))
    assert delivery.state == "again"


async def test_a_test_reads_and_changes_nothing(page: Page) -> None:
    (delivery,) = await deliver(page, part(trial_notice("[production]", "op1"), "t"))
    assert delivery.state == "sent" and page.asked == ["GET /components"]


@pytest.mark.parametrize("gives_metadata", [True, False])
async def test_what_is_ours_is_known_by_its_metadata_or_by_the_reference_in_its_text(
    page: Page, gives_metadata: bool
) -> None:
    async with serving(page) as server:
        where = PublicPage(Secret(KEY), "page_1", server.url(), wire(1.0))
        ours = Update(key="0123456789abcdef", environment="staging", name="M", status="in_progress", body="x")
        assert (await where.say(ours)).changed
        if not gives_metadata:
            page.incidents[0]["incident_updates"] = [{"body": page.incidents[0]["body"]}]
            del page.incidents[0]["metadata"]
        assert not (await where.say(ours)).changed
        assert not await where.entries("production"), "the counter-test: another environment's is not ours"
        assert (await where.say(replace(ours, key="fedcba9876543210"))).changed and len(page.incidents) == 2


async def test_a_maintenance_that_is_completed_is_not_opened_again(page: Page) -> None:
    async with serving(page) as server:
        where = PublicPage(Secret(KEY), "page_1", server.url(), wire(1.0))
        ours = Update(key="0123456789abcdef", environment="staging", name="M", status="in_progress", body="x")
        await where.say(ours)
        await where.say(replace(ours, status="completed"))
        assert not (await where.say(ours)).changed
    assert page.incidents[0]["updates"] == ["in_progress", "completed"]


@pytest.mark.parametrize(("status", "certain"), [(403, True), (420, True), (429, True), (500, False), (502, False)])
async def test_a_refused_change_was_not_made_and_of_a_gateways_answer_nobody_knows(status: int, certain: bool) -> None:
    async def handle(seen: Seen, writer: Writer) -> None:
        given = raw(response(200, b"[]")) if seen.method == "GET" else answering(status, {"error": ["no"]})
        await given(seen, writer)

    async with serving(handle) as server:
        where = PublicPage(Secret(KEY), "page_1", server.url(), wire(1.0))
        with pytest.raises(Refusal) as refused:
            await where.say(Update(key="k", name="M", status="investigating", body="x"))
    assert refused.value.certain is certain and f"Statuspage answers {status}: no" in str(refused.value)
