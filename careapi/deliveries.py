"""What a platform sends to its hook: read in the form that the table of platforms names."""

from __future__ import annotations

from careapi.bodies import Rejected, read
from careapi.bodies_meta import read_meta
from careapi.bodies_x import read_x
from careapi.model import Mention
from careapi.platforms import CALLERS, Form
from scenarios.names import Platform


def read_delivery(platform: Platform, body: bytes) -> list[Mention | Rejected]:
    """Read a delivery in the form of its platform.

    Parameters
    ----------
    platform : Platform
        Whose hook was called. At the hook of a platform that is relayed only its own posts are taken; the four
        of Meta take whatever Meta sends.
    body : bytes
        As it came; its signature is checked elsewhere, and first.

    Returns
    -------
    posts : list of Mention or Rejected
        In the order of the delivery; empty if it holds nothing that anybody wrote to us. A bad post does not
        spoil the others.

    Raises
    ------
    BadBody
        If the body is no delivery of this form; never anything else.
    """
    form = CALLERS[platform].form
    if form is Form.X:
        return read_x(body)
    return read_meta(body) if form is Form.META else read(body, platform)
