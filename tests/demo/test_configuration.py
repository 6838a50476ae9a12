"""The radar.toml that a demo writes is one that the console reads, every key of it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from console.collector.schedule import CONFIRM_S
from console.demo import configuration
from console.demo.supervisor import PORT_NAMES
from console.model.configuration import Intervals
from console.settings import load
from console.store.identity import identity


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """A configuration as the supervisor writes it, with made-up ports."""
    ports = {name: 20_001 + index for index, name in enumerate(PORT_NAMES)}
    return configuration.write(tmp_path, ports, configuration.Tokens(), "pass-word")


def test_the_settings_are_the_demos(written: Path) -> None:
    settings = load(written, None, {})
    environment = settings.environment
    assert (environment.name, environment.label) == ("demo", "demo")
    assert settings.demo_directory == written.parent
    assert settings.observed_path.parent == written.parent / "state" / "demo"
    assert environment.vercel is not None and environment.supabase is not None and environment.egress is not None
    assert [vendor.name for vendor in environment.vendors] == ["vercel", "supabase", "github"]
    assert environment.egress.name == "localhost"
    assert set(environment.contacts) == {
        "application", "database", "deployment", "vendor", "security", "bastion", "any",
    }  # fmt: skip


def test_what_can_be_done_and_who_is_told_is_configured_whole(written: Path) -> None:
    """`operations()` reads these tables late: a mistake in them would show only when somebody acts."""
    operations = load(written, None, {}).operations()
    assert operations.access.admins == (identity().name,) and operations.access.service is None
    assert operations.github and operations.maintenance and operations.slack and operations.statuspage
    assert operations.github.repository == "tabletalk-demo/radar" and operations.maintenance.provider == "edge-config"
    assert operations.pagerduty and len(operations.pagerduty.routing_key.reveal()) == 32, "PagerDuty's keys have 32"
    assert operations.webhooks and operations.notify.heartbeat and operations.staging
    secrets = [operations.slack.webhook, operations.notify.heartbeat, operations.webhooks[0].url]
    urls = [operations.github.api, operations.statuspage.api, operations.pagerduty.api, operations.staging]
    assert all(url.startswith("http://127.0.0.1:") for url in [*urls, *(secret.reveal() for secret in secrets)])
    assert operations.verification.rounds * operations.verification.interval_s <= 5, "seen while one still looks"


def test_every_base_url_is_on_loopback(written: Path) -> None:
    environment = load(written, None, {}).environment
    assert environment.vercel and environment.supabase and environment.egress and environment.supabase.gateway
    urls = [environment.url, environment.vercel.api, environment.supabase.api, environment.supabase.gateway]
    assert environment.prometheus and environment.prometheus.token
    urls += [environment.prometheus.url, *environment.egress.targets, *(vendor.url for vendor in environment.vendors)]
    assert all(url.startswith("http://127.0.0.1:") for url in urls)
    assert environment.database is not None and "@127.0.0.1:" in environment.database.reveal()


WATCHED = {"vercel_s", "supabase_s", "vendors_s", "certificate_s"}
"""Intervals of what a fault can be switched at, where the usual one is longer than somebody looks."""


def test_only_what_a_fault_shows_at_is_asked_more_often_than_a_real_one(written: Path) -> None:
    """All at five seconds took 1.2 % of a core, where the collector may take 1 %."""
    intervals, usual = (
        dataclasses.asdict(each) for each in (load(written, None, {}).environment.intervals, Intervals())
    )
    assert {name for name in usual if intervals[name] != usual[name]} == WATCHED
    assert all(intervals[name] < usual[name] for name in WATCHED)
    assert max(intervals[name] for name in WATCHED) + CONFIRM_S <= 20
    assert 2 * intervals["vercel_s"] <= 10, "README: within two rounds it names the deployment"


def test_secrets_are_in_the_env_file_only(written: Path) -> None:
    tokens = configuration.Tokens()
    configuration.write(written.parent, {name: 20_001 for name in PORT_NAMES}, tokens, "pass-word-1")
    text = written.read_text()
    for secret in (*dataclasses.asdict(tokens).values(), "pass-word-1"):
        assert secret not in text
        assert secret in (written.parent / ".env").read_text()


def test_a_directory_with_any_name_is_quoted(tmp_path: Path) -> None:
    place = tmp_path / 'a "quoted" \\ place with ünicode'
    place.mkdir()
    ports = {name: 20_001 for name in PORT_NAMES}
    written = configuration.write(place, ports, configuration.Tokens(), "x")
    assert load(written, None, {}).demo_directory == place
