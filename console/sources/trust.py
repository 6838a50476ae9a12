"""Which authorities vouch for a certificate."""

from __future__ import annotations

import functools
import ssl

from console.model.observation import ErrorKind
from console.model.states import State
from console.sources.faults import Fault


@functools.cache  # 20 ms, so once a process
def trusted(authority: str | None) -> ssl.SSLContext:
    """The system's authorities, which a company extends with its own, Mozilla's, and those in the PEM file `authority`.

    Raises `Fault` when that file cannot be read.
    """
    import certifi  # with its 7 ms of files: where nothing is asked by https it is not needed

    context = ssl.create_default_context(cafile=certifi.where())
    context.load_default_certs()
    context.set_alpn_protocols(["http/1.1"])
    if authority is not None:
        try:
            context.load_verify_locations(authority)
        except OSError:  # ssl.SSLError is one; neither names more than the path
            words = "the file of certificate_ca cannot be read as PEM"
            raise Fault(ErrorKind.INTERNAL, words, state=State.UNKNOWN) from None
    return context
