"""What became of the credential's file, judged by its state before and after the command."""

from __future__ import annotations

import pytest

from hermes_tunnel.remote.landing import Landing, NotSeen, Unchanged, landed

ABSENT = "landed:absent:/home/me/a:b.json"
OLD = "landed:me:600:1,2,3.5:/home/me/a:b.json"
NEW = "landed:me:640:9,2,3.5:/home/me/a:b.json"
LANDING = Landing("/home/me/a:b.json", "me", "640")


def nobody() -> str | None:
    """A second command could not be run."""
    raise AssertionError("nobody needs to look again")


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (ABSENT, NEW, LANDING),
        (OLD, NEW, LANDING),
        (OLD, OLD, Unchanged("/home/me/a:b.json", there=True)),
        (ABSENT, ABSENT, Unchanged("/home/me/a:b.json", there=False)),
        (OLD, ABSENT, Unchanged("/home/me/a:b.json", there=False)),
        (OLD, OLD.replace("3.5", "3.500000001"), Landing("/home/me/a:b.json", "me", "600")),
    ],
)
def test_what_changed(before: str, after: str, expected: object) -> None:
    """A file that is new, or not the same as before, was written; no clock is consulted."""
    assert landed([before, after], nobody, "n") == expected


def test_it_says_whose_it_is() -> None:
    """Path, owner and mode, as a person reads them."""
    assert str(LANDING) == "/home/me/a:b.json (owner me, mode 640)"


@pytest.mark.parametrize("printed", [NEW, f"motd\nnoise hermes-tunnel:n:{NEW}\r\nmore\n"])
def test_a_second_command_looks_where_the_first_could_not(printed: str) -> None:
    """Its start-up file may be talkative; its look is compared with the one before the login."""
    again = printed if printed != NEW else f"hermes-tunnel:n:{NEW}"
    assert landed([OLD], lambda: again, "n") == LANDING
    assert landed([NEW], lambda: again, "n") == Unchanged("/home/me/a:b.json", there=True)


@pytest.mark.parametrize(
    ("printed", "reason"),
    [
        (None, "no second command could be run there"),
        ("", "no second command could be run there"),
        ("\x1b[31msudo: a password is required\n\n", "sudo: a password is required"),
        (f"hermes-tunnel:other:{NEW}", f"hermes-tunnel:other:{NEW}"),
    ],
)
def test_if_nobody_can_look_we_say_why(printed: str | None, reason: str) -> None:
    """The reason is in the words of the command there, if it printed any."""
    assert landed([OLD], lambda: printed, "n") == NotSeen(reason)


BAD = [
    "",
    "landed:me:600:1,2:/a",
    "landed:me:600:x,2,3:/a",
    "landed:me:600:\N{SUPERSCRIPT TWO},2,3:/a",
    f"landed:me:600:{'9' * 5000},2,3:/a",
    "landed:me:rw-:1,2,3:/a",
    "landed:me:600:1,2,3:",
    "landed:unseen:/a",
]


@pytest.mark.parametrize("bad", BAD)
def test_nothing_learned(bad: str) -> None:
    """Anything else, before the command or after it, proves nothing, and is no fault of this program."""
    for looks in ([OLD, bad], [bad, NEW]):
        assert isinstance(landed(looks, nobody, "n"), NotSeen)
    assert isinstance(landed([], nobody, "n"), NotSeen)


def test_scrubbed() -> None:
    """Escape sequences are not passed on."""
    after = "landed:\x1b[31mme:600:1,2,3:/\x1b]0;x\x07a"
    assert landed([ABSENT, after], nobody, "n") == Landing("/a", "me", "600")
