"""The channels that the settings name."""

from __future__ import annotations

from console.model.notifications import PAGERDUTY, SLACK, STATUSPAGE, WEBHOOK
from console.model.operations import Operations
from console.model.wire import Post
from console.notify.channel import Channel
from console.notify.pagerduty import PagerDuty
from console.notify.slack import Slack
from console.notify.statuspage import Statuspage
from console.notify.webhook import Webhook


def names(operations: Operations) -> tuple[str, ...]:
    """What is configured, in the order in which it is shown."""
    fixed = (
        (SLACK, operations.slack),
        (PAGERDUTY, operations.pagerduty),
        (STATUSPAGE, operations.statuspage),
    )
    return (*(name for name, part in fixed if part), *(WEBHOOK + webhook.name for webhook in operations.webhooks))


def build(operations: Operations, post: Post) -> dict[str, Channel]:
    """By name, all that are configured."""
    found: list[Channel] = []
    if operations.slack:
        found.append(Slack(operations.slack.webhook, post))
    if operations.pagerduty:
        found.append(PagerDuty(operations.pagerduty.routing_key, operations.pagerduty.api, post))
    if page := operations.statuspage:
        found.append(Statuspage(page.key, page.page, page.api, post))
    found += [Webhook(each.name, each.url, each.token, post) for each in operations.webhooks]
    return {channel.name: channel for channel in found}
