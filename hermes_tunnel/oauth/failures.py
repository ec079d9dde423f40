"""How a login can end badly, in words: each a fact and the next thing to do."""

from __future__ import annotations

from hermes_tunnel.errors import (
    Failure,
    NetworkFailure,
    NobodyAnswered,
    NoWayBack,
    Refused,
    RemoteCommandFailure,
)
from hermes_tunnel.oauth.states import (
    SECONDS_TO_ASK,
    SECONDS_TO_BEGIN,
    SECONDS_TO_FINISH,
    NoDelivery,
    State,
    Undelivered,
)
from hermes_tunnel.text import quote

NOBODY_THERE = (
    "the remote command asked something, and there is nobody to answer",
    "run it in a terminal, or give the answer on standard input",
)
NOBODY_PASTED = (
    "the address that the browser ended on was not given, and the local port could not be had",
    "run it in a terminal and paste it there, or give it on standard input",
)
NOBODY_ANSWERED = {
    State.STARTING: (
        f"the command asked for no sign-in within {SECONDS_TO_ASK:.0f} s",
        "its last lines are above; can the remote machine reach the provider?",
    ),
    State.AWAITING_CALLBACK: (
        "nobody signed in: the browser did not come back in time",
        "was the page opened in a browser on this machine, in the profile that you are signed in with? did "
        "it show a code instead (paste it while the login waits)? did the browser ask to reach the local "
        "network (allow it)?",
    ),
    State.AWAITING_APPROVAL: ("nobody approved the sign-in in time", "run the login again"),
    State.ASKING: ("no answer was given in time", "run the login again"),
    State.AWAITING_ANSWER: ("no answer was given in time", "run the login again"),
    State.ANSWERED: (
        f"the answer was delivered, and the command did not finish within {SECONDS_TO_FINISH:.0f} s",
        "can the remote machine reach the provider's token endpoint?",
    ),
    State.CALLBACK_DELIVERED: (
        f"the callback was delivered, and the command did not finish within {SECONDS_TO_FINISH:.0f} s",
        "the tunnel did its part; can the remote machine reach the provider's token endpoint?",
    ),
}


def nobody_answered(state: State, *, strayed: bool = False) -> Failure:
    """The time of a state is over.

    :param strayed: the browser came back, with the answer to another login
    """
    if strayed and state is State.AWAITING_CALLBACK:
        return NobodyAnswered(
            "nobody signed in: the browser came back only with the answer to another login",
            "close the sign-in pages that are open, run the login again, and use the page that it opens",
        )
    return NobodyAnswered(*NOBODY_ANSWERED[state])


def hermes_missing(places: str) -> Failure:
    """Hermes was not found."""
    return RemoteCommandFailure(
        f"hermes was not found on the remote machine; looked in {places}",
        "install it there, or say where it is: --hermes-path /path/to/hermes",
    )


def container_missing(reason: str) -> Failure:
    """The container that Hermes is said to be in was not found, or does not run."""
    return RemoteCommandFailure(
        f"the container cannot be entered there: {reason}",
        "is its name right, and does it run? is this account allowed to use docker or podman? see docker ps",
    )


def undelivered(failed: Undelivered) -> Failure:
    """The callback came, and could not be handed over."""
    if failed.reason in (NoDelivery.LOST, NoDelivery.LOST_UNDER_WAY):
        return NetworkFailure(
            f"the connection was lost while the callback was on its way: {failed.words}",
            "run the login again; a Hermes that still waits there takes the address of the page: "
            "hermes-tunnel paste HOST",
        )
    if failed.reason is NoDelivery.FORBIDDEN:
        return NoWayBack(
            f"the server does not let the callback through: {failed.words}",
            "its sshd_config needs AllowTcpForwarding yes (and PermitOpen for this port), or a second "
            "session for the relay (--relay auto, MaxSessions)",
        )
    return Refused(
        f"the callback came, but nothing listens for it on the remote any more: {failed.words}",
        "run the login again",
    )


def asked_again() -> Failure:
    """Another sign-in was asked for after the callback."""
    return Refused(
        "the callback was delivered and the command then asked for another sign-in: "
        "it did not accept the answer",
        "look at what it printed above; the tunnel itself worked",
    )


def declined(error: str) -> Failure:
    """The provider said no."""
    return Refused(
        f"the sign-in was declined at the provider ({error})",
        "run the login again and approve it, if that was not meant",
    )


def command_failed(status: int, words: str, *, delivered: bool) -> Failure:
    """The command ended, and not well.

    :param status: its exit status; negative where a signal ended it
    :param delivered: whether the browser's answer had been delivered to it
    """
    if status < 0:
        return Refused("the command was ended on the remote machine by a signal", "run the login again")
    return Refused(
        f"the command failed there: {words or 'it said nothing'}"
        + (f" (exit status {status})" if status else ""),
        "the browser's answer was delivered before, so the tunnel is not the cause; what the command printed "
        "is above"
        if delivered
        else "what it printed is above; run the login again when that is mended",
    )


def nothing_recognised(words: str) -> Failure:
    """The command ended well, and did nothing that was recognised."""
    return RemoteCommandFailure(
        "the command ended well without a sign-in that was recognised"
        + (f"; its last words: {quote(words)}" if words else ""),
        "see what it does there by hand; `hermes auth --help` lists its commands",
    )


def unproven(status_command: str, *, ended: bool) -> Failure:
    """Nothing but a credential would have shown that it has logged in, and none was seen.

    :param status_command: shows there whether it has
    :param ended: the command ended with 0 and had not said so; else it had, and did not end
    """
    hint = f"look there: {status_command}"
    if ended:
        return RemoteCommandFailure(
            "the command ended well before anybody had signed in, as far as was seen, did not say that it "
            "had logged in, and left no credential that could be seen",
            hint,
        )
    return RemoteCommandFailure(
        "the command said that it had logged in, did not end, and left no credential that could be seen", hint
    )


def something_else_ran(status: int, words: str) -> Failure:
    """The account ran something else than what was asked for."""
    return RemoteCommandFailure(
        "the account ran something else than the command: "
        + (quote(words) if words else f"exit status {status}, no word"),
        "the account may have no shell or a forced command; try --as-user, or another account",
    )


def sudo_refused(words: str) -> Failure:
    """Nobody became another account."""
    return RemoteCommandFailure(
        f"the other account could not be had there: {words}",
        "is its name right, and may this account become it? see sudo -l there",
    )


def never_began(asked: str) -> Failure:
    """The command did not start in time.

    :param asked: what the remote machine asked meanwhile
    """
    if asked:
        return RemoteCommandFailure(
            f"before the command could start, the remote machine asked {quote(asked)}",
            "connect with ssh first and settle that there; a password that has expired has to be changed",
        )
    return NobodyAnswered(
        f"the remote shell did not start the command within {SECONDS_TO_BEGIN:.0f} s",
        "connect with ssh and see what its start-up files do",
    )
