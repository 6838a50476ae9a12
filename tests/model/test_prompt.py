"""What each key does to a line that is typed to a question, and what a paste does."""

from __future__ import annotations

import pytest

from console.model.prompt import Prompt

ASKED = "TYPE c985bb5: "


def typed(prompt: Prompt, keys: str, at_s: float = 10.0) -> str:
    """Key by key, as a person does."""
    return "".join(prompt.feed(key, at_s + 0.1 * place) for place, key in enumerate(keys))


def phrase() -> Prompt:
    return Prompt(ASKED, phrase="c985bb5")


def test_what_is_typed_is_echoed_and_enter_ends_it() -> None:
    prompt = phrase()
    assert typed(prompt, "c985bb5\r") == "c985bb5\n" and prompt.done and prompt.value == "c985bb5"


def test_a_line_is_mended_as_the_kernel_does_it() -> None:
    prompt = Prompt("", takes_paste=True)
    assert typed(prompt, "ab界\x7f") == "ab界\b \b\b \b" and prompt.value == "ab"
    assert typed(prompt, "\x15\x7f", 20) == "\b \b\b \b" and prompt.value == ""
    assert typed(prompt, "\x01\x0c\t\x9b", 30) == "" and prompt.value == ""


def test_ctrl_d_leaves_whatever_is_typed() -> None:
    prompt = phrase()
    typed(prompt, "c9\x04")
    assert prompt.left and not prompt.done


@pytest.mark.parametrize("pasted", ["c985bb5", "c985bb5\r", "\x1b[200~c\x1b[201~", "\x1b[200~c985bb5\r\x1b[201~\r"])
def test_what_comes_at_once_is_dropped_told_and_asked_again(pasted: str) -> None:
    prompt = phrase()
    echo = prompt.feed(pasted, 10.0)
    assert echo.count("pasted or typed ahead") == 1 and echo.endswith(f"\n{ASKED}")
    assert prompt.value == "" and not prompt.done
    typed(prompt, "c985bb5\r", 11)
    assert prompt.done and prompt.value == "c985bb5"


def test_a_paste_that_comes_in_pieces_goes_as_a_whole() -> None:
    prompt = phrase()
    echo = "".join(prompt.feed(piece, 10 + 0.001 * place) for place, piece in enumerate(("c9", "85", "bb", "5\r")))
    assert "pasted or typed ahead" in echo and prompt.value == "" and not prompt.done
    prompt = phrase()
    echo = (
        prompt.feed("\x1b[20", 10) + prompt.feed("0~c985", 11) + prompt.feed("bb5\x1b[2", 12) + prompt.feed("01~", 13)
    )
    assert echo.count("pasted or typed ahead") == 1 and prompt.value == ""


def test_a_few_keys_of_one_packet_are_typing() -> None:
    prompt = phrase()
    for place, packet in enumerate(("c98", "5b", "b", "5\r")):
        prompt.feed(packet, 10.0 + place)
    assert prompt.done and prompt.value == "c985bb5"


def test_a_short_phrase_is_believed_when_it_came_in_two() -> None:
    prompt = Prompt("", phrase="413")
    prompt.feed("413", 10.0)
    assert prompt.value == ""
    assert typed(prompt, "413\r", 11) == "413\n" and prompt.done


def test_a_reason_may_be_pasted_up_to_the_end_of_its_line() -> None:
    for text in ("it is broken\rc985bb5\r", "\x1b[200~it is broken\nc985bb5\n\x1b[201~"):
        prompt = Prompt("REASON  ", takes_paste=True)
        echo = prompt.feed(text, 10.0)
        assert prompt.value == "it is broken" and not prompt.done and echo.endswith("\nREASON  it is broken")
        typed(prompt, "!\r", 11)
        assert prompt.done and prompt.value == "it is broken!"
    prompt = Prompt("", takes_paste=True, longest=5)
    assert prompt.feed("too long", 10.0) == prompt.value == "too l"


@pytest.mark.parametrize("sequence", ["\x1b[A", "\x1b[1;5C", "\x1bOP", "\x1b[3~", "\x1b"])
def test_keys_that_write_nothing_write_nothing(sequence: str) -> None:
    prompt = phrase()
    assert prompt.feed(sequence, 9.0) == ""
    assert typed(prompt, "c985bb5\r") == "c985bb5\n" and prompt.done


@pytest.mark.parametrize("broken", ["\x1b[\r", "\x1b[" + "1;" * 400, "\x1b[é"])
def test_what_is_no_sequence_swallows_nothing_of_what_follows(broken: str) -> None:
    prompt = Prompt("")
    prompt.feed(broken, 9.0)
    typed(prompt, "\x15x\r")
    assert prompt.done
