"""This host: whether it is online, has room to work, and whether the collector itself is well."""

from __future__ import annotations

from console.model.finding import Assessment, Draft, Finding, absent, nothing_known, well, words_of
from console.model.observation import Origin
from console.model.situation import Online, Situation, online
from console.model.states import State
from console.model.words import counted, listed, percent

KEY = "bastion"
PARTS = ("host", "egress", "collector")


def judge_bastion(situation: Situation) -> Assessment:
    """The `bastion` component."""
    tracks = [track for target in PARTS if (track := situation.track(target))]
    if not tracks:
        return absent(KEY, KEY, "Neither host nor egress is watched.")
    draft = Draft(key=KEY, name=KEY, origin=Origin.HOST, tracks=tracks, figure=_figure(situation))
    _judge_egress(draft, situation)
    _judge_host(draft, situation)
    _judge_collector(draft, situation)
    return draft.assessed()


def _figure(situation: Situation) -> str:
    says = online(situation)
    if says in (Online.NO, Online.NO_NAMES):
        return "offline" if says is Online.NO else "no name service"
    if says is Online.YES:
        return "egress ok"
    cpu, disk = situation.last("host", "cpu_share"), situation.last("host", "disk_share")
    if cpu is None or disk is None:
        return "no egress witness"
    return f"cpu {percent(cpu)} disk {percent(disk)}"


def _judge_egress(draft: Draft, situation: Situation) -> None:
    says = online(situation)
    if says is Online.NO:
        _find(draft, "offline", State.UNHEALTHY, "offline: no outside target answers")
    elif says is Online.NO_NAMES:
        _find(draft, "names", State.DEGRADED, "outside targets answer, but no name is resolved")
    elif says is Online.YES:
        draft.say("Outside targets answer: this bastion is online.", State.HEALTHY)
    elif says is Online.NOT_ASKED:
        draft.say("The egress witness was not asked yet.", State.UNKNOWN)
    else:
        draft.say("No egress witness is configured: a target that is not reached counts as failed.")


def _judge_host(draft: Draft, situation: Situation) -> None:
    """A host short of room is a warning, whatever the source calls it: the application does not suffer from it."""
    host = situation.track("host")
    if host is None or nothing_known(draft, situation, host):
        return
    if host.state is State.HEALTHY:
        well(draft, host, "This host has memory and disk to spare")
    else:
        _find(draft, "host", State.DEGRADED, f"this host: {words_of(host)}")


def _judge_collector(draft: Draft, situation: Situation) -> None:
    if situation.defect:
        _find(draft, "collector", State.DEGRADED, f"the collector: {situation.defect}")
    if situation.late:
        text = f"{counted(len(situation.late), 'source')} late: {listed(list(situation.late))}"
        _find(draft, "late", State.DEGRADED, text)
    if not situation.defect and not situation.late:
        draft.say("The collector polls in time.", State.HEALTHY)


def _find(draft: Draft, what: str, state: State, text: str) -> None:
    finding = Finding(key=f"{KEY}.{what}", component=KEY, state=state, text=text, origin=Origin.HOST, incident=KEY)
    draft.find(finding, f"{text[0].upper()}{text[1:]}.")
