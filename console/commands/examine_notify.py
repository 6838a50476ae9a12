"""`radar doctor`: what can be said of the channels without sending anything through them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from console.commands.finding import Finding, Result
from console.model.configuration import Settings
from console.model.operations import Operations, PagerDuty, Slack, Statuspage
from console.settings import SettingsError

GROUP = "notifications"
_SLACK = re.compile(r"https://hooks\.slack(-gov)?\.com/(services|workflows|triggers)/\S+")
_ROUTING_KEY = re.compile(r"[0-9A-Za-z]{32}")


def findings(settings: Settings, *, offline: bool) -> Iterator[Finding]:
    """Each channel and the dead-man's switch; what is not configured, with the line to add."""
    try:
        operations = settings.operations()
    except SettingsError as error:
        for each in (error, *error.others):
            place = f"line {each.line}: " if each.line else ""
            yield Finding(GROUP, each.key or "settings", Result.FAILED, f"{place}{each.problem}", each.fix)
        return
    yield from _missing(settings.environment.name, operations)
    if settings.held_by is not None:  # nothing of it can be looked at by this user
        return
    if operations.slack:
        yield _slack(operations.slack)
    if operations.pagerduty:
        yield _pagerduty(operations.pagerduty)
    if operations.statuspage and not offline:
        yield _statuspage(settings, operations.statuspage)
    for webhook in operations.webhooks:
        words = "not asked: whatever is posted is a message; `radar notify test` sends one"
        yield Finding(GROUP, f"webhook:{webhook.name}", Result.WELL, words)
    if operations.notify.heartbeat:
        words = "not asked: a beat would hide it if nobody collects"
        yield Finding(GROUP, "heartbeat", Result.WELL, words)


def _missing(name: str, operations: Operations) -> Iterator[Finding]:
    if not (operations.slack or operations.pagerduty or operations.webhooks):
        fix = f'add [environments.{name}.slack] with webhook = "${{SLACK_WEBHOOK_URL}}"'
        yield Finding("not configured", "slack", Result.OFF, "nobody is told of alerts", fix)
    if not operations.notify.heartbeat:
        fix = f'add [environments.{name}.notify] with heartbeat = "${{HEARTBEAT_URL}}"'
        yield Finding("not configured", "notify.heartbeat", Result.OFF, "nobody hears when the collector is gone", fix)


def _slack(slack: Slack) -> Finding:
    from console.sources.egress import is_local

    url = slack.webhook.reveal()
    if _SLACK.fullmatch(url):
        return Finding(GROUP, "slack", Result.WELL, "the webhook's address has its form; `radar notify test` tries it")
    if is_local(url):
        return Finding(GROUP, "slack", Result.WELL, "a listener on this host or in its own network")
    fix = "copy the URL of an incoming webhook, https://hooks.slack.com/services/…, into slack.webhook"
    return Finding(GROUP, "slack", Result.WARNING, "this is no address of Slack's: messages would go elsewhere", fix)


def _pagerduty(pagerduty: PagerDuty) -> Finding:
    if _ROUTING_KEY.fullmatch(pagerduty.routing_key.reveal()):
        return Finding(GROUP, "pagerduty", Result.WELL, "the routing key has its form; `radar notify test` tries it")
    fix = "copy the integration key of an Events API v2 integration of the service into pagerduty.routing_key"
    return Finding(GROUP, "pagerduty", Result.FAILED, "a routing key has 32 letters and digits, this one has not", fix)


def _statuspage(settings: Settings, page: Statuspage) -> Finding:
    """Key, page and components, by reading them."""
    from console.collector import event_loop
    from console.model.wire import NotSent, Unanswered
    from console.notify import public_alerts
    from console.notify.public_page import PublicPage, Refusal
    from console.sources.http import Clients
    from console.sources.wire import Wire

    async def asked() -> tuple[str, ...]:
        wire = Wire(Clients(settings.environment.certificate_ca))
        try:
            return tuple(await PublicPage(page.key, page.page, page.api, wire).components())
        finally:
            await wire.close()

    try:
        known = event_loop.run(asked())
    except (NotSent, Unanswered, Refusal) as error:
        fix = "make a key at https://manage.statuspage.io, API info, and set statuspage.key and statuspage.page"
        return Finding(GROUP, "statuspage", Result.FAILED, str(error), fix)
    strange = [component for component in page.components if component not in known]
    if strange:
        words = f"the page has no component {', '.join(strange)}"
        fix = f"set statuspage.components to some of: {', '.join(known)}"
        return Finding(GROUP, "statuspage", Result.FAILED, words, fix)
    unknown = public_alerts.strange(page, [rule.name for rule in settings.environment.rules])
    if unknown:
        words = f"statuspage.alerts names what is neither a severity nor a rule: {', '.join(unknown)}"
        return Finding(GROUP, "statuspage", Result.FAILED, words, "radar alerts lists the rules")
    told = f", and is told of alerts: {', '.join(page.alerts)}" if page.alerts else ""
    return Finding(GROUP, "statuspage", Result.WELL, f"the key is accepted; the page has {len(known)} components{told}")
