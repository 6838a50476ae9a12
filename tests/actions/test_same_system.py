"""Which configurations mean the system that only a service account may act upon."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.actions.same_system import is_same
from console.model.configuration import Settings
from console.settings import load
from console.store.clock import now_ms
from console.store.history import HistoryWriter
from tests.commands.test_deployments import seen

URL = 'url = "https://app.example.com"\n'
OTHER = 'url = "https://other.example.com"\n'
VERCEL = '[environments.x.vercel]\ntoken = "t"\nproject = "{}"\n'
GITHUB = '[environments.x.github]\ntoken = "t"\nrepository = "{}"\n'
SUPABASE = '[environments.x.supabase]\nref = "{}"\n'
REF = "abcdefghijklmnopqrst"
SYSTEM = (
    URL + 'database = "postgres://postgres:s@db.example.com/app"\n'
    + VERCEL.format("prj_1") + GITHUB.format("acme/shop") + SUPABASE.format(REF)
)  # fmt: skip


def settings(directory: Path, name: str, text: str) -> Settings:
    file = directory / name / "radar.toml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(f'state_directory = "state"\n[environments.x]\n{text}')
    file.chmod(0o600)
    return load(file, "x", {})


@pytest.fixture
def system(tmp_path: Path) -> Settings:
    """The enforced one, which has been observed."""
    found = settings(tmp_path, "system", SYSTEM)
    told = {"project": "shop-web", "project_id": "prj_1", "production": None}
    with HistoryWriter(found.observed_path) as writer:
        writer.observation(seen("vercel", told, {}), now_ms() - 60_000, now_ms(), 60)
    return found


@pytest.mark.parametrize(
    "text",
    [
        URL, 'url = "https://APP.example.com:443/"\n',
        OTHER + VERCEL.format("prj_1"), OTHER + VERCEL.format("shop-web"),
        OTHER + GITHUB.format("Acme/Shop"), OTHER + SUPABASE.format(REF),
        OTHER + 'database = "postgresql://other:x@DB.example.com:5432/app?sslmode=require"\n',
        OTHER + 'database = "host=db.example.com user=other dbname=app"\n',
        OTHER + f'database = "postgres://postgres.{REF}:x@aws-0-eu-central-1.pooler.supabase.com:6543/postgres"\n',
        OTHER + f'database = "postgres://postgres:x@db.{REF}.supabase.co/postgres"\n',
    ],
)  # fmt: skip
def test_one_name_is_enough(tmp_path: Path, system: Settings, text: str) -> None:
    own = settings(tmp_path, "own", text)
    assert is_same(system, own) and is_same(own, system)


@pytest.mark.parametrize(
    "text",
    [
        OTHER, OTHER + VERCEL.format("prj_2"), OTHER + GITHUB.format("acme/other"), OTHER + SUPABASE.format("z" * 20),
        OTHER + 'database = "postgres://postgres:s@db.example.com/other"\n', 'url = "https://app.example.com:8443"\n',
        OTHER + 'database = "postgres://postgres.zzzzzzzzzzzz:x@aws-0-eu-central-1.pooler.supabase.com:6543/postgres"\n',
    ],
)  # fmt: skip
def test_what_shares_no_name_is_another(tmp_path: Path, system: Settings, text: str) -> None:
    own = settings(tmp_path, "own", text)
    assert not is_same(system, own) and not is_same(own, system)


def test_what_was_not_observed_is_compared_by_what_is_written(tmp_path: Path) -> None:
    bare = settings(tmp_path, "system", SYSTEM)
    assert is_same(bare, settings(tmp_path, "own", OTHER + VERCEL.format("prj_1")))
    assert not is_same(bare, settings(tmp_path, "own", OTHER + VERCEL.format("shop-web")))
