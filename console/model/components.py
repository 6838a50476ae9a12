"""Every component of the Health screen judged, in its order."""

from __future__ import annotations

from collections.abc import Sequence

from console.model.component_application import judge_application
from console.model.component_bastion import judge_bastion
from console.model.component_custom import with_custom
from console.model.component_database import judge_database
from console.model.component_platform import (
    judge_certificate,
    judge_supabase,
    judge_vercel,
    reports,
    vendor_finding,
    vendor_tracks,
)
from console.model.component_routes import judge_routes
from console.model.component_users import judge_users
from console.model.finding import Assessment, Finding
from console.model.situation import Situation
from console.model.states import State

_RULES = (
    judge_application,
    judge_routes,
    judge_users,
    judge_database,
    judge_vercel,
    judge_supabase,
    judge_certificate,
    judge_bastion,
)
VENDORS = "vendors"


def judge_components(situation: Situation) -> tuple[Assessment, ...]:
    """The eight components, in the order in which they are shown."""
    return tuple(with_custom(situation, rule(situation)) for rule in _RULES)


def other_vendors(situation: Situation, assessments: Sequence[Assessment]) -> tuple[Finding, ...]:
    """Incidents of vendors that no component shows."""
    shown = {target for each in assessments for target in each.judgement.targets}
    reporting = (track for track in vendor_tracks(situation, "") if track.target not in shown and reports(track))
    return tuple(vendor_finding(VENDORS, track) for track in reporting)


def state_of(assessments: Sequence[Assessment], key: str) -> State:
    """The state of one component; NOT_CONFIGURED when there is none by that key."""
    found = (each.judgement.state for each in assessments if each.judgement.key == key)
    return next(found, State.NOT_CONFIGURED)
