"""URLs: taken apart, checked, and made fit to be sent. A library for it takes longer to import than a plan to make."""

from __future__ import annotations

import functools
import re
import socket
from dataclasses import dataclass, replace
from urllib.parse import urljoin

_LONGEST = 65_536
_PARTS = re.compile(r"(?:([a-zA-Z][a-zA-Z0-9+.-]*):)?(?://([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#.*)?", re.DOTALL)
_NAME = re.compile(r"[a-z0-9._~!$&'()*+,;=-]+")
_NUMBERS = re.compile(r"[0-9]+(\.[0-9]+){3}")
# What has to be written as %XX in a path and in a query (WHATWG's sets).
_UNFIT_PATH = re.compile(r"[^!$%&-;=@-_a-z|~]")
_UNFIT_QUERY = re.compile(r"[^!$%&-;=?-~]")
_PORTS = {"http": 80, "https": 443}


class InvalidAddress(ValueError):
    """The text is no URL. Says nothing of the text, which can hold secrets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A URL without user, password and fragment, in ASCII."""

    scheme: str
    host: str
    """Without the brackets of an IPv6 address."""
    port: int | None
    """None: the scheme's own."""
    path: str
    query: str | None

    @property
    def netloc(self) -> str:
        """As the `host` header says it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port is None else f"{host}:{self.port}"

    @property
    def target(self) -> str:
        """What is asked for: path and query."""
        return (self.path or "/") + ("" if self.query is None else f"?{self.query}")

    @property
    def port_number(self) -> int:
        """Where to connect."""
        return self.port or _PORTS[self.scheme]

    @property
    def origin(self) -> tuple[str, str, int | None]:
        """Scheme, host and port."""
        return self.scheme, self.host, self.port

    def bare(self) -> str:
        """Without the query, which can hold secrets."""
        return str(replace(self, query=None))

    def join(self, reference: str) -> Address:
        """What a redirect from here means. Raises `InvalidAddress`."""
        _refuse_unprintable(reference)
        try:
            return address_of(urljoin(str(self), reference))
        except ValueError:
            raise InvalidAddress from None

    def __str__(self) -> str:
        place = f"//{self.netloc}" if self.host else ""
        scheme = f"{self.scheme}:" if self.scheme else ""
        return scheme + place + self.path + ("" if self.query is None else f"?{self.query}")


@functools.lru_cache(maxsize=1024)  # each poll asks for the same
def address_of(text: str) -> Address:
    """Raises `InvalidAddress`. Any scheme and none: what may be asked is the caller's to say."""
    _refuse_unprintable(text)
    found = _PARTS.fullmatch(text)
    assert found is not None  # every part may be empty
    scheme, place, path, query = found.groups()
    scheme = (scheme or "").lower()
    host, port = _host_and_port((place or "").rpartition("@")[2], scheme)
    if place is not None and not host and scheme in _PORTS:
        raise InvalidAddress
    return Address(
        scheme=scheme,
        host=host,
        port=port,
        path=_UNFIT_PATH.sub(_escaped, _without_dots(path) if host else path),
        query=None if query is None else _UNFIT_QUERY.sub(_escaped, query),
    )


def _refuse_unprintable(text: str) -> None:
    if len(text) > _LONGEST or any(letter.isascii() and not letter.isprintable() for letter in text):
        raise InvalidAddress


def _host_and_port(place: str, scheme: str) -> tuple[str, int | None]:
    if place.startswith("["):
        host, bracket, rest = place[1:].partition("]")
        if not bracket or not _is_ip(socket.AF_INET6, host) or rest[:1] not in ("", ":"):
            raise InvalidAddress
        return host.lower(), _port(rest[1:], scheme)
    host, _, port = place.partition(":")
    return _host(host), _port(port, scheme)


def _host(written: str) -> str:
    """In ASCII and lower case."""
    name = written.lower()
    if not name.isascii():
        import idna  # 10 ms, and names beyond ASCII are rare

        try:
            name = idna.encode(name).decode()
        except idna.IDNAError:
            raise InvalidAddress from None
    if name and (not _NAME.fullmatch(name) or (_NUMBERS.fullmatch(name) and not _is_ip(socket.AF_INET, name))):
        raise InvalidAddress
    return name


def _is_ip(family: socket.AddressFamily, written: str) -> bool:
    try:
        socket.inet_pton(family, written)
    except (OSError, ValueError):
        return False
    return True


def _port(written: str, scheme: str) -> int | None:
    if not written:
        return None
    if not (written.isascii() and written.isdigit()) or len(written) > 5 or not 0 < int(written) < 65_536:
        raise InvalidAddress
    return None if int(written) == _PORTS.get(scheme) else int(written)


def _without_dots(path: str) -> str:
    """`/a/./b/../c` is `/a/c` (RFC 3986, 5.2.4)."""
    if "/." not in path:
        return path
    kept: list[str] = []
    *parts, last = path.split("/")
    for part in [*parts, last]:
        if part == ".." and len(kept) > 1:
            kept.pop()
        elif part not in (".", ".."):
            kept.append(part)
    return "/".join(kept) + ("/" if last in (".", "..") else "")


def _escaped(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found[0].encode("utf-8", "replace"))
