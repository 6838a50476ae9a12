"""The documentation says what the program does."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any, get_args

import pytest

from console.cli import COMMANDS
from console.demo.faults import FAULTS
from console.model import configuration
from console.model.configuration import Doubt, Egress, Intervals, MetricNames, Settings, Thresholds
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
}


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


def test_every_setting_is_documented() -> None:
    kinds = [
        kind
        for kind in vars(configuration).values()
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
