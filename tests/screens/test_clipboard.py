"""What is sent to the clipboard, and where what is too long goes."""

from __future__ import annotations

import base64
import re
from pathlib import Path

from screens.clipboard import LIMIT_BYTES, SCREEN_CHUNK, copy, wrapped

ENCODED = base64.b64encode(("state ✗\n" * 400).encode()).decode()


def test_bare_terminals_get_one_sequence() -> None:
    assert wrapped("YQ==", {}) == ("", "\x1b]52;c;YQ==\x07")


def test_tmux_gets_it_passed_through_with_escapes_doubled_and_once_bare() -> None:
    way, sequence = wrapped("YQ==", {"TMUX": "x", "STY": "y"})
    assert way == " through tmux"
    assert sequence == "\x1bPtmux;\x1b\x1b]52;c;YQ==\x07\x1b\\\x1b]52;c;YQ==\x07"


def test_screen_gets_short_strings_that_join_to_the_whole() -> None:
    way, sequence = wrapped(ENCODED, {"STY": "y"})
    parts = re.findall(r"\x1bP(.*?)\x1b\\", sequence, re.DOTALL)
    assert way == " through screen" and all(len(part) <= SCREEN_CHUNK for part in parts)
    assert "".join(parts) == f"\x1b]52;c;{ENCODED}\x07"


def test_the_longest_that_fits_is_sent_and_one_more_goes_to_a_file(tmp_path: Path) -> None:
    sent: list[str] = []
    fits = "a" * (LIMIT_BYTES // 4 * 3)
    assert "clipboard" in copy(fits, sent.append, {}, tmp_path) and len(sent) == 1
    words = copy(fits + "aaa", sent.append, {}, tmp_path / "new")
    path = tmp_path / "new" / "copied.txt"
    assert len(sent) == 1 and str(path) in words
    assert path.read_text() == fits + "aaa" and path.stat().st_mode & 0o777 == 0o600


def test_where_no_file_can_be_written_the_words_say_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    words = copy("a" * 100_000, lambda text: None, {}, tmp_path / "file")
    assert words.startswith("not copied")


def test_a_link_laid_in_the_way_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("mine")
    (tmp_path / "copied.txt").symlink_to(tmp_path / "victim")
    assert copy("a" * 100_000, lambda text: None, {}, tmp_path).startswith("not copied")
    assert (tmp_path / "victim").read_text() == "mine"
