"""Escape cards that need nothing: for when token, network, store, disk or settings are broken and no plan can be made.

What is known of the settings is filled in; the rest stands in capitals, to be filled in by hand. Never a secret.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from console.model.maintenance import written_by_hand
from console.model.observation import Json

VERCEL_API = "https://api.vercel.com"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the card may name. Empty: not known."""

    project: str = ""
    team: str = ""
    repository: str = ""
    branch: str = "main"
    url: str = ""
    api: str = VERCEL_API
    deployment: str = ""
    """The id of the one that is meant, or would be gone back to, by what is stored."""
    stored: str = ""
    """That one in words, with the age of what is known of it."""
    edge_config: str = ""
    key: str = "maintenance"
    table: str = "radar_maintenance"


def card(action: str, parameters: Mapping[str, Json], known: Known) -> tuple[str, ...]:
    """The lines for an action; for one that has no card of its own, where to look."""
    made = _CARDS.get(action)
    return made(parameters, known) if made else ("vercel.com, the project: Deployments, Settings, Storage",)


def _scope(known: Known) -> str:
    return f" --scope {known.team}" if known.team else ""


def _query(known: Known) -> str:
    return f"?teamId={known.team}" if known.team.startswith("team_") else f"?slug={known.team}" if known.team else ""


def _named(parameters: Mapping[str, Json], name: str, blank: str) -> str:
    value = parameters.get(name)
    return str(value) if value not in (None, "") else blank


def _curl(known: Known, method: str, path: str, body: str = "{}") -> str:
    return (
        f"curl -X {method} '{known.api.rstrip('/')}{path}' -H \"authorization: Bearer $VERCEL_TOKEN\" "
        f"-H 'content-type: application/json' -d '{body}'"
    )


def _moved(kind: str, version: str) -> Callable[[Mapping[str, Json], Known], tuple[str, ...]]:
    def lines(parameters: Mapping[str, Json], known: Known) -> tuple[str, ...]:
        target = known.deployment or _named(parameters, "to", "DEPLOYMENT")
        project = known.project or "PROJECT"
        told = (f"# {known.stored}",) if known.stored else ()
        return (
            *told,
            f"vercel list {project} --prod{_scope(known)}                # which deployments there are",
            f"vercel {kind} {target}{_scope(known)}",
            _curl(known, "POST", f"/{version}/projects/{project}/{kind}/{target}{_query(known)}"),
            f"vercel {kind} status {project}{_scope(known)}   # accepted is not done",
            f"curl -sI {known.url or 'https://APP'}/           # seen from outside",
            "or vercel.com, the project, Deployments, … at the deployment",
        )

    return lines


def _deploy(parameters: Mapping[str, Json], known: Known) -> tuple[str, ...]:
    production = " --prod" if parameters.get("target") == "production" else ""
    return (
        f"git checkout {_named(parameters, 'ref', known.branch)} && vercel deploy{production}{_scope(known)}",
        f"gh workflow run WORKFLOW --repo {known.repository or 'OWNER/NAME'} --ref {known.branch}",
    )


def _freeze(parameters: Mapping[str, Json], known: Known) -> tuple[str, ...]:
    repository = known.repository or "OWNER/NAME"
    word = "enable" if parameters.get("on") is False else "disable"
    return (
        f"gh run list --repo {repository} --branch {known.branch} --status in_progress",
        f"gh run cancel RUN --repo {repository}",
        f"gh workflow {word} WORKFLOW --repo {repository}   # and the other way round afterwards",
    )


def _run(command: str) -> Callable[[Mapping[str, Json], Known], tuple[str, ...]]:
    def lines(parameters: Mapping[str, Json], known: Known) -> tuple[str, ...]:
        return (f"gh run {command} {_named(parameters, 'run', 'RUN')} --repo {known.repository or 'OWNER/NAME'}",)

    return lines


def _maintenance(parameters: Mapping[str, Json], known: Known) -> tuple[str, ...]:
    message = parameters.get("message")
    told = written_by_hand(on=parameters.get("on") is not False, message=message if isinstance(message, str) else "")
    value = f'{{"items": [{{"operation": "upsert", "key": "{known.key}", "value": {told}}}]}}'
    store = known.edge_config or "ECFG"
    return (
        _curl(known, "PATCH", f"/v1/edge-config/{store}/items{_query(known)}", value.replace("'", "'\\''"))
        + "   # provider edge-config",
        f"psql \"$MAINTENANCE_DATABASE_URL\" -c 'TABLE {known.table}'   # provider database: the row to change",
        "the status page and the team channel, by hand: nobody is told by these",
    )


_CARDS: Mapping[str, Callable[[Mapping[str, Json], Known], tuple[str, ...]]] = {
    "rollback": _moved("rollback", "v1"),
    "promote": _moved("promote", "v10"),
    "deploy": _deploy,
    "freeze": _freeze,
    "rerun": _run("rerun"),
    "cancel-run": _run("cancel"),
    "maintenance": _maintenance,
    "announce": _maintenance,
    "maintenance-end": _maintenance,
}
