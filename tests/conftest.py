"""What tests of several rooms need: one real PostgreSQL a worker, and a fresh database in it for each test."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from itertools import count
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from console.demo.server import EmbeddedPostgres

_numbers = count(1)

# On shared cores another process may take a second of the making of one input, which says nothing of the test.
settings.register_profile("shared-cores", suppress_health_check=[HealthCheck.too_slow], deadline=None)
settings.load_profile("shared-cores")


def pytest_collection_finish() -> None:
    """What was collected stays to the end: looking for garbage in it again and again would be a part of every test."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """One server for all tests of this worker (0.7 s). A test that stops, fills or freezes it starts its own."""
    from console.demo.server import EmbeddedPostgres

    server = EmbeddedPostgres(tmp_path_factory.mktemp("postgres"))
    server.start()
    yield server
    server.stop("immediate")


@pytest.fixture
def database(postgres_server: EmbeddedPostgres) -> Iterator[str]:
    """The connection string, as superuser, of an empty database of this test's own."""
    import psycopg

    name = f"test_{next(_numbers)}"
    with psycopg.connect(postgres_server.dsn(), autocommit=True) as connection:
        connection.execute(f"create database {name}".encode())
        yield postgres_server.dsn(database=name)
        connection.execute(f"drop database {name} with (force)".encode())
