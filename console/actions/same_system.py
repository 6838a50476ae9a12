"""Whether two configurations mean the same system, by everything that either of them tells of it.

One name is enough: a configuration that names only the repository, or the project by its name where the other has its
id, acts upon the same production all the same. What stands in no configuration is told by what was observed: of the
project both its id and its name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlsplit

from console.model.configuration import Environment, Secret, Settings
from console.model.ports import StoreUnreadable
from console.store.read import StoreReader

Mark = tuple[str, str]
_PORTS = {"http": 80, "https": 443}
_KEYWORD = re.compile(r"(\w+)\s*=\s*'?([^'\s]+)")
"""`host=db.example.com dbname=app`: libpq's other form."""
_OWN_HOST = re.compile(r"db\.([a-z0-9]+)\.supabase\.(?:co|com)")
_POOLER_USER = re.compile(r"[^.]+\.([a-z0-9]{8,})")


def is_same(system: Settings, settings: Settings) -> bool:
    """Whether both mean the same system."""
    return bool(marks(system) & marks(settings))


def marks(settings: Settings) -> set[Mark]:
    """All by which a system is known: host, project, database, repository and what belongs to it."""
    environment = settings.environment
    found = {*_of_hosting(environment), *_of_database(environment), *_of_operations(settings), *_observed(settings)}
    return {(kind, name.lower()) for kind, name in found if name and "${" not in name}


def _of_hosting(environment: Environment) -> Iterator[Mark]:
    yield "host", _address(environment.url)
    if environment.vercel is not None:
        yield "project", environment.vercel.project


def _of_database(environment: Environment) -> Iterator[Mark]:
    if environment.supabase is not None:
        yield "ref", environment.supabase.ref
        yield "gateway", _address(environment.supabase.gateway or "")
        yield from _of_dsn(environment.supabase.pooler)
    yield from _of_dsn(environment.database)


def _of_dsn(secret: Secret | None) -> Iterator[Mark]:
    """The server with its database, and Supabase's project as its addresses and users have it."""
    host, user, port, name = _parts(secret.reveal() if secret is not None else "")
    if not host:
        return
    refs = _OWN_HOST.fullmatch(host), _POOLER_USER.fullmatch(user)
    yield from (("ref", found[1]) for found in refs if found)
    if not refs[1]:  # all projects of a region share the pooler's address
        yield "database", f"{host}:{port}/{name or user}"


def _parts(dsn: str) -> tuple[str, str, str, str]:
    """Host, user, port and database of both forms of a DSN; empty what is not told."""
    if "://" not in dsn:
        words = dict(_KEYWORD.findall(dsn))
        return words.get("host", ""), words.get("user", ""), words.get("port", "5432"), words.get("dbname", "")
    try:
        found = urlsplit(dsn)
        return found.hostname or "", found.username or "", str(found.port or 5432), found.path.strip("/")
    except ValueError:
        return "", "", "", ""


def _of_operations(settings: Settings) -> Iterator[Mark]:
    operations = settings.operations()
    if operations.github is not None:
        yield "repository", operations.github.repository
    if operations.statuspage is not None:
        yield "status page", operations.statuspage.page
    if operations.maintenance is not None:
        yield "edge config", operations.maintenance.edge_config or ""


def _observed(settings: Settings) -> Iterator[Mark]:
    """The project's id and name as Vercel has told them; nothing where this account may not read that."""
    if settings.environment.vercel is None:
        return
    try:
        with closing(StoreReader(settings.observed_path, settings.records_path, settings.environment, None)) as reads:
            names = reads.deployments(None).project_names
    except (StoreUnreadable, OSError):
        return
    yield from (("project", name) for name in names)


def _address(url: str) -> str:
    """`app.example.com:443`: where a port is left out, the usual one is meant."""
    try:
        found = urlsplit(url)
        return f"{found.hostname}:{found.port or _PORTS.get(found.scheme, 0)}" if found.hostname else ""
    except ValueError:
        return ""
