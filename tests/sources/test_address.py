"""URLs taken apart: what is sent, what is shown, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.sources.address import InvalidAddress, address_of


@pytest.mark.parametrize(
    ("written", "address", "target"),
    [
        ("https://a.example", "https://a.example", "/"),
        ("http://A.Example:80/x?y=1#z", "http://a.example/x?y=1", "/x?y=1"),
        ("https://a.example:443", "https://a.example", "/"),
        ("http://u:p@h:8080/ä b?q=ä b#f", "http://h:8080/%C3%A4%20b?q=%C3%A4%20b", "/%C3%A4%20b?q=%C3%A4%20b"),
        ("http://[::1]:99/a/../b/./c/", "http://[::1]:99/b/c/", "/b/c/"),
        ("http://bücher.example/", "http://xn--bcher-kva.example/", "/"),
        ('http://h/a{b}|^`"<>\\[]@:;=,~!*()+$&', "http://h/a%7Bb%7D|^%60%22%3C%3E\\[]@:;=,~!*()+$&", None),
        ("http://h?x", "http://h?x", "/?x"),
        ("http://h/%2f%zz?%41", "http://h/%2f%zz?%41", "/%2f%zz?%41"),
        ("http://h/..", "http://h/", "/"),
        ("javascript:alert(1)", "javascript:alert(1)", None),
    ],
)
def test_what_is_sent(written: str, address: str, target: str | None) -> None:
    found = address_of(written)
    assert str(found) == address
    assert target is None or found.target == target


@pytest.mark.parametrize(
    "written",
    [
        "http://[", "http://[::1", "http://[nonsense]/", "http://[::1]x/", "http://a b/", "http://h:99999/", "http://h:x/",
        "http://h:0/", "http:///x", "http://1.2.3.400/", "http://h/\r\nx: y", "http://h/\x00",
        "http://" + "h" * 70_000, "http://ex%61mple/", "http://\u2028/",
    ],
)  # fmt: skip
def test_what_is_no_address(written: str) -> None:
    with pytest.raises(InvalidAddress) as raised:
        address_of(written)
    assert not str(raised.value), "an address can hold secrets"


@given(st.text(max_size=60))
def test_nothing_that_is_written_breaks_a_request(text: str) -> None:
    """Whatever comes in, what goes out is one line of printable ASCII."""
    for written in (text, f"http://h/{text}", f"http://{text}"):
        try:
            found = address_of(written)
        except InvalidAddress:
            continue
        line = f"{found}{found.target}{found.netloc}"
        assert line.isascii() and line.isprintable() and " " not in line
        assert address_of(str(found)).path == found.path or not found.host


@pytest.mark.parametrize(
    ("reference", "address"),
    [
        ("/b", "https://a.example/b"),
        ("c", "https://a.example/x/c"),
        ("?q", "https://a.example/x/y?q"),
        ("//other.example/z", "https://other.example/z"),
        ("http://other.example", "http://other.example"),
        ("../../../up", "https://a.example/up"),
    ],
)
def test_what_a_redirect_means(reference: str, address: str) -> None:
    assert str(address_of("https://a.example/x/y?old").join(reference)) == address
