"""docs/notifications.md says what the program does."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

from console.model.operations import Notify, Operations, PagerDuty, Slack, Statuspage, Webhook
from console.notify.channels import names
from console.notify.rules import least_of
from console.notify.webhook import EVENT_HEADER, document_of
from console.settings import load
from tests.notify.parts import NOW_MS, alert_part, message

TEXT = (Path(__file__).parents[2] / "docs/notifications.md").read_text()
VARIABLES = {
    "SLACK_WEBHOOK_URL": "https://hooks.slack.com/services/T/B/x",
    "PAGERDUTY_ROUTING_KEY": "0" * 32,
    "STATUSPAGE_API_KEY": "key",
    "AUDIT_WEBHOOK_URL": "https://audit.example.com/hook",
    "AUDIT_WEBHOOK_TOKEN": "token",
    "HEARTBEAT_URL": "https://hc-ping.example.com/uuid",
}


def documented(directory: Path) -> Operations:
    example = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)[0]
    file = directory / "radar.toml"
    file.write_text('[environments.production]\nurl = "https://app.example.com"\n' + example)
    return load(file, None, VARIABLES).operations()


def test_the_example_is_a_configuration_with_every_channel(tmp_path: Path) -> None:
    operations = documented(tmp_path)
    assert names(operations) == ("slack", "pagerduty", "statuspage", "webhook:audit")
    assert least_of(operations.notify, "webhook:audit") == "low"
    assert dataclasses.replace(operations.notify, heartbeat=None, least={}, escalate_s={}) == Notify(), "the defaults"


def test_every_setting_and_key_is_named() -> None:
    for kind in (Notify, Slack, PagerDuty, Statuspage, Webhook):
        for field in dataclasses.fields(kind):
            assert re.search(rf"\b{field.name}\b", TEXT), f"{kind.__name__}.{field.name}"
    body = document_of(message([alert_part()]), NOW_MS)
    for name in (*body, *body["events"][0], *body["events"][0]["facts"], EVENT_HEADER):
        assert re.search(rf"\b{name}\b", TEXT), name
