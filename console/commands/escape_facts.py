"""What an escape card is filled in with: the settings, and of the store the deployment that is meant, with its age."""

from __future__ import annotations

from collections.abc import Mapping

from console.commands.parts import reading
from console.model.configuration import Settings
from console.model.deployment_rules import goes_back_to, stored_as, stored_words
from console.model.escape_cards import VERCEL_API, Known
from console.model.observation import Json
from console.model.ports import StoreUnreadable

MOVES = frozenset({"rollback", "promote"})


def known(settings: Settings | None, action: str, parameters: Mapping[str, Json]) -> Known:
    """What may be named. Never raises: the card is for when something is broken."""
    if settings is None:
        return Known()
    environment, operations = settings.environment, settings.operations()
    vercel, github, maintenance = environment.vercel, operations.github, operations.maintenance
    deployment, stored = _deployment(settings, action, parameters)
    return Known(
        url=environment.url,
        project=vercel.project if vercel else "",
        team=(vercel.team or "") if vercel else "",
        api=vercel.api if vercel else VERCEL_API,
        deployment=deployment,
        stored=stored,
        repository=github.repository if github else "",
        branch=github.branch if github else "main",
        edge_config=(maintenance.edge_config or "") if maintenance else "",
        key=maintenance.key if maintenance else "maintenance",
        table=maintenance.table if maintenance else "radar_maintenance",
    )


def _deployment(settings: Settings, action: str, parameters: Mapping[str, Json]) -> tuple[str, str]:
    """Id and words of the deployment that is meant; empty where none is, or the store cannot be read."""
    wanted = parameters.get("to")
    if action not in MOVES or (action == "promote" and not wanted):
        return "", ""
    try:
        with reading(settings) as reads:
            view = reads.deployments(None)
    except StoreUnreadable:
        return "", ""
    row = stored_as(view, str(wanted)) if wanted else goes_back_to(view)
    return (row.id, stored_words(view, row)) if row is not None else ("", "")
