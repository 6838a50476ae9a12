"""The escape card where Vercel cannot be asked: what the store held seconds before is named, with its age."""

from __future__ import annotations

import pytest

from tests.commands.conftest import Radar, Site
from tests.commands.test_deployments import author

VERCEL = '[environments.production.vercel]\ntoken = "t"\nproject = "prj_1"\napi = "http://127.0.0.1:1"\n'


@pytest.fixture
def broken(site: Site) -> Site:
    """Vercel is configured, with an API that refuses."""
    with site.file.open("a") as file:
        file.write(VERCEL)
    return site


@pytest.mark.parametrize(
    ("asked", "named"), [((), "dpl_old"), (("--to", "dpl_new"), "dpl_new"), (("--to", "new"), "new")]
)
def test_the_deployment_is_named_without_a_token(
    broken: Site, radar: Radar, asked: tuple[str, ...], named: str
) -> None:
    author(broken)
    done = radar("rollback", "--escape", *asked)
    assert done.status == 2 and f"vercel rollback {named}" in done.out, done.out
    assert f"'http://127.0.0.1:1/v1/projects/prj_1/rollback/{named}'" in done.out
    assert "api.vercel.com" not in done.out + done.err
    if named != "new":  # too short to be sure of: as it was typed
        assert f"({named}), as read" in done.out and f"vercel rollback {named}" in done.err


def test_without_a_store_it_stands_in_capitals(broken: Site, radar: Radar) -> None:
    assert "vercel rollback DEPLOYMENT" in radar("rollback", "--escape").out
