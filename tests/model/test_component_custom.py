"""Figures of people's own: listed and told, and never a reason."""

from __future__ import annotations

from typing import Any

from console.model.component_custom import with_custom
from console.model.components import judge_components
from console.model.finding import Assessment
from console.model.observation import ErrorKind, Observation, Origin, Outcome
from console.model.states import State
from tests.model.scene import EVERYTHING, Scene

OWN = ("sql:clients", "sql:paid", "prometheus:mails")
REFUSED = {"outcome": Outcome.FAILED, "state": State.UNKNOWN, "error_kind": ErrorKind.STATUS}


def assessed(**different: Any) -> dict[str, Assessment]:
    """Every component; what is given is the newest answer of those figures (by name), the others are well."""
    scene = Scene(*EVERYTHING, *OWN).all_well()
    for target in OWN:
        usual = {"outcome": Outcome.ANSWERED, "state": State.HEALTHY, "words": "gives one number", "origin": Origin.SQL}
        scene.tracks[target].note(
            Observation(target=target, **usual | different.get(target.partition(":")[2], {})), scene.now
        )
    return {each.judgement.key: each for each in judge_components(scene.situation())}


def test_a_figure_that_fails_is_told_where_it_stands_and_changes_no_state() -> None:
    ill = assessed(
        clients={"words": 'is refused: relation "x" does not exist', **REFUSED},
        paid={"words": "gives NULL: no value", "state": State.UNKNOWN},
        mails={"words": "gives several series", **REFUSED},
    )
    database, bastion = ill["database"].judgement, ill["bastion"].judgement
    assert database.targets[-2:] == ("sql:clients", "sql:paid")
    assert database.explanation[-2:] == (
        'Own figure clients: is refused: relation "x" does not exist.',
        "Own figure paid: gives NULL: no value.",
    )
    assert bastion.targets[-1] == "prometheus:mails"
    assert bastion.explanation[-1] == "Own figure mails: gives several series."
    for key, well in assessed().items():
        assert (ill[key].judgement.state, ill[key].findings) == (well.judgement.state, well.findings)


def test_figures_that_are_well_are_listed_and_not_talked_of() -> None:
    well = assessed()
    assert well["database"].judgement.targets[-2:] == ("sql:clients", "sql:paid")
    assert not [line for each in well.values() for line in each.judgement.explanation if line.startswith("Own")]


def test_without_figures_of_ones_own_nothing_is_added() -> None:
    situation = Scene().all_well().situation()
    for assessment in judge_components(situation):
        assert with_custom(situation, assessment) is assessment
