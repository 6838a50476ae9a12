"""What is said of deployments, and what can be done about one or about a run. Pure: rows in, words and requests out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from console.model import payload, vercel_project
from console.model.actions import ActionRequest
from console.model.deployments import CiRunRow, DeploymentRow, DeploymentsView, Effect
from console.model.observation import Json
from console.model.pipeline import run_state
from console.model.times import ago

PRODUCTION = "production"
BUILDING = frozenset({"building", "queued", "initializing"})
BROKEN = frozenset({"error", "canceled", "blocked", "deleted"})
DEFAULT_BRANCH = "main"
FREEZE_HOURS = 1.0


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that can be asked for: in words, and as the action takes it."""

    words: str
    request: ActionRequest


def why_not(item: Mapping[str, Json], *, current: bool) -> str:
    """Why production cannot go back to a listed deployment; empty: it can, is there already, or nobody says."""
    if current:
        return ""
    one = vercel_project.Deployment(
        id=str(item.get("id")),
        short="",
        target=payload.text(item, "target"),
        state=payload.text(item, "state") or vercel_project.UNKNOWN,
        substate=payload.text(item, "substate") or "",
        aliased=payload.flag(item, "ever_live"),
        candidate=payload.flag(item, "candidate"),
        deleted=payload.flag(item, "gone") is True,
    )
    return vercel_project.why_not(one, None)


def eligible_words(row: DeploymentRow) -> str:
    """Whether production can go back to it, in few words."""
    if row.current:
        return "current"
    if row.why_not:
        return row.why_not
    return "can be rolled back to" if row.candidate else "Vercel does not say whether it can be rolled back to"


def assign_words(view: DeploymentsView) -> str:
    """Whether new deployments go live, where that is not as usual; empty: they do.

    False with a rollback of ours on record is a pin, with one that only Vercel tells of somebody else's, without any
    somebody's choice; missing is unknown, and so is whose it is where our records cannot be read.
    """
    if view.auto_assign is False and view.pinned_by:
        return f"PINNED by {named(view.pinned_by)}'s rollback: pushes build and do not go live until promoted"
    if view.auto_assign is False and view.rolled_back:
        return f"PINNED by a rollback that {_not_ours(view)}: pushes build and do not go live until promoted"
    if view.auto_assign is False and view.records_unread:
        return "NOT AUTO-ASSIGNING, by whom is not known, our records cannot be read: pushes build and do not go live"
    if view.auto_assign is False:
        return "NOT AUTO-ASSIGNING, by somebody's choice: pushes build and do not go live"
    if view.auto_assign is None and view.pinned_by:
        return f"PINNED by {named(view.pinned_by)}'s rollback, as our records tell; Vercel does not say"
    if view.auto_assign is None and not view.assign_asked:
        return "unknown whether new deployments went live: Vercel was not asked for that then"
    if view.auto_assign is None and view.deployments_ms is not None:
        return "unknown whether new deployments go live: Vercel does not tell this token"
    return ""


def _not_ours(view: DeploymentsView) -> str:
    return "may be ours, our records cannot be read" if view.records_unread else "our records do not hold"


def named(owner: str) -> str:
    """Who, without how it was told: `op2` of `op2 (loginuid)`."""
    return owner.partition(" (")[0]


def served_s(row: DeploymentRow, now_ms: int) -> float | None:
    """For how long it has served: the current one since it does, another in all. None: not known."""
    if row.live_ms is None:
        return None
    if row.current:
        return (now_ms - row.live_ms) / 1000
    if row.served_ms is not None:
        return row.served_ms / 1000
    return (row.until_ms - row.live_ms) / 1000 if row.until_ms is not None else None


def current_of(view: DeploymentsView) -> DeploymentRow | None:
    """What serves production."""
    return next((row for row in view.deployments if row.current), None)


def goes_back_to(view: DeploymentsView) -> DeploymentRow | None:
    """What a rollback would go back to by what is stored; None: nothing that is known of."""
    current = current_of(view)
    return _before(view, current) if current is not None else None


def stored_as(view: DeploymentsView, wanted: str) -> DeploymentRow | None:
    """The deployment that is meant by its id, or by the beginning of its commit where that fits one only."""
    exact = [row for row in view.deployments if row.id == wanted]
    found = exact or [row for row in view.deployments if len(wanted) >= 4 and row.short.startswith(wanted[:7])]
    return found[0] if len(found) == 1 else None


def stored_words(view: DeploymentsView, row: DeploymentRow) -> str:
    """`c985bb5 "saved filters" (dpl_…), as read 12 s ago`: for when Vercel cannot be asked."""
    read_ms = view.deployments_ms
    if read_ms is None:
        return f"{_called(row)} ({row.id}), read when is not known"
    return f"{_called(row)} ({row.id}), as read {ago((view.header.at_ms - read_ms) / 1000)} ago"


def problem(row: DeploymentRow | CiRunRow) -> bool:
    """Whether it is worth going to by `e`: a build or a run that failed, or that nobody understands."""
    if isinstance(row, DeploymentRow):
        return row.state in ("error", "blocked", "unknown") or bool(row.error)
    return run_state(row) in ("failed", "unknown")


def deeds_for_deployment(view: DeploymentsView, row: DeploymentRow) -> tuple[Deed, ...]:
    """What can be asked for about a deployment, the likeliest first. Whether it may be done says the plan."""
    if row.current:
        return _about_current(view, row)
    found: list[Deed] = []
    if not row.why_not and not _newer(view, row):
        found.append(_roll_back(row))
    if _can_promote(view, row):
        found.append(Deed(f"promote {_called(row)}", _request("promote", to=row.id)))
    return tuple(found)


def _called(row: DeploymentRow) -> str:
    return f'{row.short} "{row.message}"' if row.message else row.short


def _roll_back(row: DeploymentRow) -> Deed:
    return Deed(f"roll back production to {_called(row)}", _request("rollback", to=row.id))


def _before(view: DeploymentsView, current: DeploymentRow) -> DeploymentRow | None:
    """What served before it, as far as is known, and can be gone back to."""
    live = [
        row
        for row in view.deployments
        if row.live_ms is not None and row.live_ms < (current.live_ms or 0) and not row.why_not and not row.passed
    ]
    older = [row for row in live if not row.current and not _newer(view, row)]
    return max(older, key=lambda row: row.live_ms or 0, default=None)


def _newer(view: DeploymentsView, row: DeploymentRow) -> bool:
    """Whether it was made after what serves now: going there is no step back."""
    current = current_of(view)
    return current is not None and (row.created_ms or 0) > (current.created_ms or 0)


def _can_promote(view: DeploymentsView, row: DeploymentRow) -> bool:
    return row.target == PRODUCTION and row.state == "ready" and (_newer(view, row) or row.live_ms is None)


def _about_current(view: DeploymentsView, row: DeploymentRow) -> tuple[Deed, ...]:
    branch = row.branch or next((run.branch for run in view.runs if run.branch), None) or DEFAULT_BRANCH
    found = [_roll_back(before)] if (before := _before(view, row)) is not None else []
    if view.auto_assign is False:
        found.append(Deed(f"promote {row.short}: let pushes go live again", _request("promote", to=row.id)))
    found += [
        Deed(f"deploy {branch} to {target}", _request("deploy", target=target, ref=branch))
        for target in ("staging", PRODUCTION)
    ]
    if view.frozen_by is not None:
        found.append(Deed("end the deploy freeze", _request("freeze", on=False)))
    else:
        words = f"deploy freeze for {FREEZE_HOURS:g} h: hold runs that would deploy"
        found.append(Deed(words, _request("freeze", on=True, hours=FREEZE_HOURS)))
    return tuple(found)


def deeds_to_promote(view: DeploymentsView) -> tuple[Deed, ...]:
    """Each promotion that can be asked for, the newest deployment first."""
    return tuple(
        deed for row in view.deployments for deed in deeds_for_deployment(view, row) if deed.request.action == "promote"
    )


def deeds_for_run(row: CiRunRow) -> tuple[Deed, ...]:
    """What can be asked for about a run: cancelled while it goes on, run again when it is over."""
    if row.active:
        return (Deed(f"cancel run #{row.number}", _request("cancel-run", run=row.id)),)
    again = Deed(f"run #{row.number} again, all of its jobs", _request("rerun", run=row.id))
    if run_state(row) not in ("failed", "cancelled"):
        return (again,)
    return Deed(f"run the failed jobs of #{row.number} again", _request("rerun", run=row.id, failed_only=True)), again


def _request(action: str, **parameters: Json) -> ActionRequest:
    return ActionRequest(action=action, parameters=parameters)


def worse(effect: Effect) -> bool:
    """Whether a figure is clearly worse after than before: half as much again and 20 ms, or one in a hundred."""
    if effect.before is None or effect.after is None:
        return False
    if effect.figure == "p95":
        return effect.after > 1.5 * effect.before + 20
    return effect.after > effect.before + 0.01
