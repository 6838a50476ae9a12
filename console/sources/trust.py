"""Which authorities vouch for a certificate."""

from __future__ import annotations

import functools
import ssl

from console.model.observation import ErrorKind
from console.model.states import State
from console.sources.faults import Fault
from console.sources.http_library import httpx


@functools.cache  # 20 ms, so once a process
def trusted(authority: str | None) -> ssl.SSLContext:
    """The system's authorities, which a company extends with its own, httpx's, and those in the PEM file `authority`.

    Raises `Fault` when that file cannot be read.
    """
    context = httpx.create_ssl_context(trust_env=False)
    context.load_default_certs()
    if authority is not None:
        try:
            context.load_verify_locations(authority)
        except OSError:  # ssl.SSLError is one; neither names more than the path
            words = "the file of certificate_ca cannot be read as PEM"
            raise Fault(ErrorKind.INTERNAL, words, state=State.UNKNOWN) from None
    return context
