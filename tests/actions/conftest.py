"""The stand-in of GitHub, for the tests of what is asked of it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.actions.ci_site import Site, opened, quicken


@pytest.fixture
async def site(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    """It is asked again at once."""
    quicken(monkeypatch)
    async with opened() as found:
        yield found
