"""What the person is told of the program that was found there."""

from __future__ import annotations

import pytest

from hermes_tunnel.conversation.remarks import notice
from hermes_tunnel.events import Notice
from hermes_tunnel.oauth.said import Remark


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ("home", "HERMES_HOME", "/srv/a", "b"),
            Notice("Your own shell there has HERMES_HOME=/srv/a:b, so the login is made there."),
        ),
        (
            ("alias", "alias hermes='sudo hermes'"),
            Notice(
                "This login runs hermes itself, not what that is to your own shell there: "
                "alias hermes='sudo hermes'"
            ),
        ),
        (
            ("wrapper", "exec docker exec box hermes"),
            Notice(
                "hermes there is a script that hands over to another program: exec docker exec box hermes",
                detail=True,
            ),
        ),
        (("unheard of", "x"), None),
    ],
)
def test_a_remark_has_its_words(words: tuple[str, ...], told: Notice | None) -> None:
    """Whatever decides which account or program logs in is said; a wrapper is for the curious."""
    assert notice(Remark(words), "hermes") == told
