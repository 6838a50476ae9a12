"""Each fault of the hosted systems, made by the stand-ins' own code, is met by the real clients: they cope and tell."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from console.actions.github_api import GitHubApi
from console.actions.maintenance_providers import EdgeConfig as Provider
from console.actions.vercel_api import VercelApi
from console.actions.wire import Rejected
from console.collector.heartbeat import TOLD, Heartbeat
from console.demo.faults import FAULTS
from console.demo.listeners import HttpListener
from console.demo.ports import Ports
from console.demo.standins.answers import now_ms
from console.demo.standins.edge_config import EdgeConfig
from console.demo.standins.faulty import RULES, Faulty
from console.demo.standins.github import GitHub as StandIn
from console.demo.standins.pipeline import Pipeline
from console.demo.standins.project import Project
from console.demo.standins.sinks import Sinks
from console.demo.standins.vercel import Vercel as VercelStandIn
from console.demo.world import EDGE_CONFIG, ORGANISATION, PROJECT, REPOSITORY, TEAM, author
from console.model.configuration import Secret, Vercel
from console.model.maintenance import Flag, flag_of
from console.model.operations import GitHub
from console.model.wire import Unanswered
from console.notify.channel import Channel, Delivery
from console.notify.pagerduty import PagerDuty
from console.notify.slack import Slack
from console.notify.statuspage import Statuspage
from console.notify.webhook import Webhook
from console.notify.wording import trial_notice
from console.sources.faults import Fault
from console.sources.github import GitHubSource
from console.sources.http import Clients, Limits
from console.sources.wire import Wire
from tests.notify.parts import NOW_MS, alert_part, message, part

TOKEN, KEY = "token-of-a-stand-in", "0123456789abcdef0123456789abcdef"
LIMITS = Limits(connect_s=1.0, read_s=0.5, total_s=0.5)


@dataclass
class Hosted:
    """The stand-ins, each behind its faults."""

    faults: set[str]
    sinks: Sinks
    pipeline: Pipeline
    ports: Ports

    def url(self, name: str, path: str = "") -> str:
        return f"http://127.0.0.1:{self.ports[name]}{path}"

    @property
    def wire(self) -> Wire:
        return Wire(Clients(), LIMITS)

    def channel(self, name: str) -> Channel:
        made: dict[str, Callable[[], Channel]] = {
            "slack": lambda: Slack(Secret(self.url("sinks", "/services/T/B/x")), self.wire),
            "pagerduty": lambda: PagerDuty(Secret(KEY), self.url("sinks"), self.wire),
            "webhook": lambda: Webhook("desk", Secret(self.url("sinks", "/hooks/desk")), Secret(TOKEN), self.wire),
            "statuspage": lambda: Statuspage(Secret(TOKEN), "page_demo", self.url("sinks"), self.wire),
        }
        return made[name]()

    async def deliver(self, name: str) -> Delivery:
        trial = name == "statuspage"
        told = part(trial_notice("here", "a test")) if trial else alert_part(channel=name)
        return await self.channel(name).deliver(message([told], name), NOW_MS)

    @property
    def github(self) -> GitHub:
        return GitHub(token=Secret(TOKEN), repository=f"{ORGANISATION}/{REPOSITORY}", api=self.url("github"))


@pytest.fixture
async def hosted() -> AsyncIterator[Hosted]:
    world, faults = author(now_ms()), set[str]()
    project = Project(world, lambda *_: None, faults)
    pipeline, sinks = Pipeline(world, project), Sinks(TOKEN, TOKEN, faults)
    applications: dict[str, Any] = {
        "sinks": sinks.application(),
        "github": StandIn(project, pipeline, world, TOKEN).application(),
        "vercel": VercelStandIn(project, world, EdgeConfig(world, "read", faults), TOKEN, faults).application(),
    }
    ports = Ports(tuple(applications))
    listeners = [HttpListener(Faulty(name, each, faults), ports[name]) for name, each in applications.items()]
    for listener in listeners:
        await listener.open()
    yield Hosted(faults, sinks, pipeline, ports)
    for listener in listeners:
        await listener.close()
    ports.close()


def test_every_rule_is_a_fault_that_can_be_switched() -> None:
    assert set(RULES) <= set(FAULTS)


@pytest.mark.parametrize(
    ("fault", "channel", "state", "words"),
    [
        ("slack-lost-answer", "slack", "unknown", "no complete answer"),
        ("slack-rate-limited", "slack", "again", "429"),
        ("slack-down", "slack", "again", "500"),
        ("pagerduty-rate-limited", "pagerduty", "again", "429"),
        ("pagerduty-lost-answer", "pagerduty", "again", "no complete answer"),
        ("webhook-down", "webhook", "again", "500"),
        ("webhook-login-page", "webhook", "unknown", "HTML"),
        ("statuspage-rate-limited", "statuspage", "again", "420"),
        ("statuspage-down", "statuspage", "again", "500"),
    ],
)
async def test_a_channel_copes_and_tells(hosted: Hosted, fault: str, channel: str, state: str, words: str) -> None:
    assert (await hosted.deliver(channel)).state == "sent", "the counter-test"
    before = len(hosted.sinks.received)
    hosted.faults.add(fault)
    delivery = await hosted.deliver(channel)
    assert delivery.state == state and words in delivery.words, delivery.words
    assert (len(hosted.sinks.received) > before) is fault.endswith("lost-answer"), "carried out, and nobody knows"
    if fault == "slack-rate-limited":
        assert delivery.retry_after_s == 5
    if fault == "statuspage-rate-limited":
        assert "429" in (await hosted.deliver(channel)).words, "by turns"
    hosted.faults.clear()
    assert (await hosted.deliver(channel)).state == "sent"


async def test_a_heartbeat_that_is_not_answered_is_told_and_heals(hosted: Hosted) -> None:
    heartbeat = Heartbeat(Secret(hosted.url("sinks", "/heartbeat/x")), 0.01, hosted.wire)
    hosted.faults.add("heartbeat-down")
    assert "not told: no complete answer" in await heartbeat._beat()
    hosted.faults.clear()
    assert await heartbeat._beat() == TOLD


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("github-rate-limited", "rate"), ("github-token-revoked", "401"), ("github-html", "502"),
        ("github-truncated", "JSON"),
    ],
)  # fmt: skip
async def test_github_that_does_not_answer_as_it_should_is_unknown_in_words(
    hosted: Hosted, fault: str, words: str
) -> None:
    clients = Clients()
    source = GitHubSource(hosted.github, clients.of(hosted.url("github")))
    well = await source.observe()
    hosted.faults.add(fault)
    found = await source.observe()
    assert well.outcome.value == "answered" and found.outcome.value != "answered"
    assert words in found.words, found.words
    with pytest.raises(Fault):
        await GitHubApi(hosted.github, Clients()).runs()


@pytest.mark.parametrize("fault", ["github-queued", "github-unknown-state"])
async def test_runs_that_do_not_go_on_are_read_as_they_are(hosted: Hosted, fault: str) -> None:
    hosted.pipeline.begin_building()
    api = GitHubApi(hosted.github, Clients())
    before = (await api.runs())[0]
    hosted.faults.add(fault)
    after = (await api.runs())[0]
    assert before.id == after.id and before.status == "in_progress"
    assert after.status == ("queued" if fault == "github-queued" else "unknown"), "never as done"
    assert after.id in {run.id for run in await api.active_runs()}, "what is not known to have ended goes on"


async def test_changes_at_github_are_refused_or_unknown(hosted: Hosted) -> None:
    api = GitHubApi(hosted.github, Clients())
    run = hosted.pipeline.begin_building()
    for fault, status in (("github-conflict", "409"), ("github-rate-limited", "429")):
        hosted.faults.add(fault)
        with pytest.raises(Rejected, match=status):
            await api.cancel(run.id)
        hosted.faults.clear()
    hosted.faults.add("github-lost-answer")
    cancelling = asyncio.ensure_future(api.cancel(run.id))
    done, _ = await asyncio.wait({cancelling}, timeout=30)
    assert done and isinstance(cancelling.exception(), Unanswered)


@pytest.mark.parametrize(
    ("fault", "status"), [("vercel-payment-required", 402), ("vercel-gone", 410), ("vercel-not-eligible", 422)]
)
async def test_a_rollback_that_vercel_refuses_was_not_carried_out(hosted: Hosted, fault: str, status: int) -> None:
    vercel = Vercel(token=Secret(TOKEN), project=PROJECT, team=TEAM, api=hosted.url("vercel"))
    api = VercelApi(vercel, Clients())
    before = await api.project()
    hosted.faults.add(fault)
    with pytest.raises(Rejected, match=str(status)):
        await api.move("rollback", "dpl_none")
    assert await api.project() == before


@pytest.mark.parametrize("fault", ["edge-config-lost-answer", "edge-config-second-writer"])
async def test_a_flag_whose_writing_is_lost_or_overwritten_is_told(hosted: Hosted, fault: str) -> None:
    vercel = Vercel(token=Secret(TOKEN), project=PROJECT, team=TEAM, api=hosted.url("vercel"))
    provider = Provider(vercel, EDGE_CONFIG, "maintenance", Clients())
    wanted: Flag = flag_of({"enabled": True})
    hosted.faults.add(fault)
    if fault == "edge-config-lost-answer":
        with pytest.raises(Unanswered):
            await provider.write(wanted)
        hosted.faults.clear()
        assert (await provider.read()).flag.on is True, "it was carried out"
    else:
        await provider.write(wanted)
        found = (await provider.read()).flag
        assert (found.on, found.message) == (False, "written by somebody else"), (
            "what stands is told, not what was sent"
        )
