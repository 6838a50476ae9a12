"""The documentation says what the program does."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any, get_args

import pytest

from console.cli import COMMANDS
from console.demo.faults import FAULTS
from console.model import configuration, operations
from console.model.configuration import Doubt, Egress, Intervals, MetricNames, Settings, Thresholds
from console.model.operations import (
    Access,
    Audit,
    GitHub,
    Maintenance,
    Notify,
    PagerDuty,
    Slack,
    Statuspage,
    Verification,
)
from console.model.views import Whose
from console.settings import load

ROOT = Path(__file__).parent.parent
EXAMPLE = re.findall(r"```toml\n(.*?)```", (ROOT / "docs/configuration.md").read_text(), re.DOTALL)[-1]
VARIABLES = {
    "DATABASE_URL": "postgresql://a:b@c/d",
    "SUPABASE_POOLER_URL": "postgresql://a:b@c/d",
    "VERCEL_TOKEN": "t",
    "METRICS_TOKEN": "t",
    "SUPABASE_ACCESS_TOKEN": "t",
    "SUPABASE_ANON_KEY": "t",
    "PROMETHEUS_TOKEN": "t",
    "GITHUB_TOKEN": "t",
    "MAINTENANCE_DATABASE_URL": "postgresql://a:b@c/d",
    "MAINTENANCE_HOOK": "https://app.example.com/hook",
    "MAINTENANCE_HOOK_TOKEN": "t",
    "SLACK_WEBHOOK_URL": "https://hooks.slack.com/services/t",
    "STATUSPAGE_API_KEY": "t",
    "PAGERDUTY_ROUTING_KEY": "t",
    "WEBHOOK_URL": "https://desk.example.com/",
    "WEBHOOK_TOKEN": "t",
    "HEARTBEAT_URL": "https://beat.example.com/",
    "AUDIT_WEBHOOK_URL": "https://audit.example.com/",
}
OPERATIONS = {
    "access": Access, "github": GitHub, "maintenance": Maintenance, "verification": Verification, "slack": Slack,
    "statuspage": Statuspage, "pagerduty": PagerDuty, "notify": Notify, "audit": Audit,
}  # fmt: skip


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    file = tmp_path_factory.mktemp("documentation") / "radar.toml"
    file.write_text(EXAMPLE)
    return load(file, None, VARIABLES)


def approximately(value: Any) -> Any:
    return pytest.approx(value, abs=0.001) if isinstance(value, float) else value


@pytest.mark.parametrize("part", ["thresholds", "intervals"])
def test_the_documented_defaults_are_the_defaults(settings: Settings, part: str) -> None:
    defaults: Thresholds | Intervals = Thresholds() if part == "thresholds" else Intervals()
    documented = dataclasses.asdict(getattr(settings.environment, part))
    assert documented == {name: approximately(value) for name, value in dataclasses.asdict(defaults).items()}


def test_the_documented_witness_and_names_are_the_defaults(settings: Settings) -> None:
    assert settings.environment.egress == Egress()
    assert dataclasses.replace(settings.environment.metric_names, business={}) == MetricNames()


@pytest.mark.parametrize("part", OPERATIONS)
def test_the_documented_defaults_of_actions_are_the_defaults(settings: Settings, part: str) -> None:
    """But for those marked as examples."""
    (text,) = re.findall(rf"^\[environments\.production\.{part}\].*\n((?:(?!\[)(?:.+\n))*)", EXAMPLE, re.MULTILINE)
    shown = {line.partition(" =")[0]: line for line in text.splitlines()}
    assert set(shown) == {field.name for field in dataclasses.fields(OPERATIONS[part])}, "every key, and no other"
    for field in dataclasses.fields(OPERATIONS[part]):
        default = field.default
        if default not in (dataclasses.MISSING, None) and "e.g." not in shown[field.name]:
            assert getattr(getattr(settings.operations(), part), field.name) == default, field.name
        elif default is None and part != "maintenance":
            assert "e.g." in shown[field.name], f"{field.name} has no default"


def test_every_setting_is_documented() -> None:
    kinds = [
        kind
        for module in (configuration, operations)
        for kind in vars(module).values()
        if dataclasses.is_dataclass(kind) and kind not in (Settings, Doubt)
    ]
    names = {field.name for kind in kinds for field in dataclasses.fields(kind)} - {"name"}
    assert sorted(name for name in names if not re.search(rf"\b{name}\b", EXAMPLE)) == []


def test_every_answer_to_whose_fault_it_is_is_documented() -> None:
    (listed,) = re.findall(r"\bwhose \((.*?)\)", (ROOT / "docs/commands.md").read_text())
    assert [answer.strip('"') for answer in listed.split(" | ")] == list(get_args(Whose))


@pytest.mark.parametrize("file", ["README.md", "docs/commands.md"])
def test_every_command_is_documented(file: str) -> None:
    text = (ROOT / file).read_text()
    assert [name for name in COMMANDS if f"radar {name}" not in text] == []


def test_every_fault_is_in_the_readme() -> None:
    text = (ROOT / "README.md").read_text()
    assert [name for name in FAULTS if f"`{name}`" not in text] == []


def test_every_link_within_the_repository_leads_somewhere() -> None:
    for file in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]:
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", file.read_text()):
            assert (file.parent / target).exists(), f"{file.name} links {target}"


def test_the_make_targets_of_the_readme_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for name in set(
        re.findall(r"`make (\w+)`", (ROOT / "README.md").read_text() + (ROOT / "CONTRIBUTING.md").read_text())
    ):
        assert re.search(rf"^{name}:", makefile, re.MULTILINE), name
