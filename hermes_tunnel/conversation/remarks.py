"""The words for what our script there says of the program that it found."""

from __future__ import annotations

from hermes_tunnel.events import Notice
from hermes_tunnel.oauth.said import Remark


def notice(remark: Remark, program: str) -> Notice | None:
    """What the person is told; None for a remark of no kind that we know.

    :param program: the program's own name
    """
    kind, words = remark.words[0], ":".join(remark.words[1:]).strip()
    if kind == "home":
        home = words.replace(":", "=", 1)
        return Notice(f"Your own shell there has {home}, so the login is made there.")
    if kind == "alias":
        return Notice(f"This login runs {program} itself, not what that is to your own shell there: {words}")
    if kind == "wrapper":
        return Notice(f"{program} there is a script that hands over to another program: {words}", detail=True)
    return None
