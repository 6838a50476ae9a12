"""Which system this is: the identity as observed, and whether the parts of the settings belong together."""

from __future__ import annotations

import re

from console.model.observation import Json
from console.model.situation import Situation

_PROJECT_HOST = re.compile(r"(?:^|\.)([a-z0-9]{15,30})\.supabase\.(?:co|com|in|net)\b")
_PROJECT_USER = re.compile(r"\.([a-z0-9]{15,30})$")


def project_of(host: str, user: str) -> str | None:
    """The Supabase project that a database address belongs to: `db.REF.supabase.co`, or user `postgres.REF`."""
    found = _PROJECT_HOST.search(host.lower())
    if found:
        return found[1]
    pooled = _PROJECT_USER.search(user) if "pooler.supabase" in host.lower() else None
    return pooled[1] if pooled else None


def identity(situation: Situation) -> str | None:
    """The Supabase project, else the Vercel deployment's project, else the server's address, as far as seen."""
    project, activity = situation.track("supabase.project"), situation.track("postgres.activity")
    supabase = situation.environment.supabase
    if supabase and project and project.answered:
        return supabase.ref
    address = activity.fact("address") if activity else None
    return str(address) if address else None


def mismatch(situation: Situation, database_project: str | None) -> str | None:
    """In words, when the database is not the configured project's, or has become another cluster."""
    supabase = situation.environment.supabase
    if supabase and database_project and database_project != supabase.ref:
        return f"database is of project {database_project}, supabase.ref is {supabase.ref}"
    return _other_reference(situation)


def _other_reference(situation: Situation) -> str | None:
    project, supabase = situation.track("supabase.project"), situation.environment.supabase
    seen: Json = project.fact("ref") if project else None
    if supabase and isinstance(seen, str) and seen != supabase.ref:
        return f"Supabase answers for project {seen}, supabase.ref is {supabase.ref}"
    return None
