"""How a login can end badly, in words: each a fact and the next thing to do."""

from __future__ import annotations

from functools import partial

from hermes_tunnel import deadlines
from hermes_tunnel.errors import (
    AGAIN,
    Failure,
    NetworkFailure,
    NobodyAnswered,
    NoWayBack,
    Refused,
    RemoteCommandFailure,
    Unsafe,
)
from hermes_tunnel.oauth.callback import Amiss
from hermes_tunnel.oauth.effects import Conclude
from hermes_tunnel.oauth.no_start import container_in
from hermes_tunnel.oauth.states import NoDelivery, Undelivered
from hermes_tunnel.text import quote

_LONGEST_WORDS = 800  # characters of an error; an address in it may be long
nobody_there = partial(
    NobodyAnswered,
    "the remote command asked a question, and nobody was there to answer it",
    "run it in a terminal, or pipe the answer to its standard input",
)
nobody_pasted = partial(
    NobodyAnswered,
    "the local port was not available, and nobody pasted the address that the browser ended on",
    "run it in a terminal and paste the address there, or pipe it to its standard input",
)
nothing_asked = partial(
    NobodyAnswered,
    f"the command did not ask for a sign-in within {deadlines.ASK.seconds:.0f} s",
    "its last lines are above; can the remote machine reach the provider?",
)
nobody_came = partial(
    NobodyAnswered,
    "nobody signed in: the browser did not come back in time",
    "was the page opened in a browser on this machine, in the profile that you are signed in with? if it "
    "showed a code, paste the code while the login waits; if the browser asked to reach the local network, "
    "allow it",
)
_PASTE_IT = "or run the login again and paste the address of the page that does not open while it waits"
ONLY_CAME = {
    Amiss.ANOTHER_LOGIN: partial(
        NobodyAnswered,
        "nobody signed in: the browser came back only with the answer to another login",
        "close every sign-in page that is open, run the login again, and use the page that it opens",
    ),
    Amiss.NAMELESS_DENIAL: partial(
        NobodyAnswered,
        "nobody signed in: the browser came back only with a refusal that does not say which login it is for",
        "if you declined the sign-in, run the login again and approve it",
    ),
    Amiss.INCOMPLETE: partial(
        NobodyAnswered,
        "nobody signed in: the browser came back only without a state, or without a code",
        "did an extension or a proxy cut the address? run the login again, and use another browser",
    ),
    Amiss.TLS: partial(
        NobodyAnswered,
        "nobody signed in: the browser came back only with https, which no login on this machine speaks",
        "does an extension or a policy turn every address into https? allow http for 127.0.0.1 and "
        f"localhost, {_PASTE_IT}",
    ),
    Amiss.TOO_LONG: partial(
        NobodyAnswered,
        "nobody signed in: what the browser sent was too long to be a callback",
        f"delete the browser's cookies of 127.0.0.1 and localhost, {_PASTE_IT}",
    ),
    Amiss.FETCHED: partial(
        NobodyAnswered,
        "nobody signed in: a script or an image brought the answer, and only the page itself may",
        f"open the sign-in page in a browser without extensions, {_PASTE_IT}",
    ),
    Amiss.ELSEWHERE: partial(
        NobodyAnswered,
        "nobody signed in: the answer came to another address on the callback's port",
        "was the address changed on its way? use the page that the login opens",
    ),
    Amiss.OTHER_METHOD: partial(
        NobodyAnswered,
        "nobody signed in: the answer came by a method other than GET",
        "the provider answers in a way that this Hermes does not understand; does a newer one?",
    ),
}
nobody_approved = partial(NobodyAnswered, "nobody approved the sign-in in time", AGAIN)
no_answer = partial(NobodyAnswered, "nobody answered the command's question in time", AGAIN)
code_not_redeemed = partial(
    NobodyAnswered,
    f"the code was delivered, but the command did not finish within {deadlines.FINISH.seconds:.0f} s",
    "can the remote machine reach the provider's token endpoint?",
)
callback_not_redeemed = partial(
    NobodyAnswered,
    f"the callback was delivered, but the command did not finish within {deadlines.FINISH.seconds:.0f} s",
    "the tunnel did its part; can the remote machine reach the provider's token endpoint?",
)
asked_again = partial(
    Refused,
    "the callback was delivered, but the command did not accept it and asked for another sign-in",
    "the tunnel itself worked; -v shows what it printed",
)


def another_issuer(before: str, now: str) -> Failure:
    """A login must not move to another issuer."""
    return Unsafe(
        f"the login began at {quote(before)} and now asks for {quote(now)}",
        "do not sign in there; look at the Hermes on the remote machine",
    )


def too_many_requests(number: int) -> Failure:
    """The command starts over again and again."""
    return Unsafe(
        f"the command asked for a sign-in {number} times, and was stopped",
        "-v shows what it printed",
    )


def undelivered(failed: Undelivered, wrapper: str = "") -> Failure:
    """The callback came, and could not be handed over.

    :param wrapper: the line by which the program hands over to another, if it is such a script
    """
    if failed.reason in (NoDelivery.LOST, NoDelivery.LOST_UNDER_WAY):
        return NetworkFailure(
            f"the connection was lost while the callback was on its way: {failed.words}",
            "run the login again; if Hermes still waits there, it takes the address of the page: "
            "hermes-tunnel paste HOST",
        )
    if failed.reason is NoDelivery.FORBIDDEN:
        return NoWayBack(
            f"the server does not let the callback through: {failed.words}",
            "its sshd_config needs AllowTcpForwarding yes (and PermitOpen for this port), or a second "
            "session for the relay (--relay auto, MaxSessions)",
        )
    wrapped = f"{quote(wrapper)} is what runs Hermes there; " if wrapper else ""
    return Refused(
        f"the callback came, but nothing listens for it on the remote machine any more: {failed.words}",
        f"{wrapped}run the login again, with --container {container_in(wrapper) or 'NAME'} if Hermes runs in "
        "a container there",
    )


def declined(error: str) -> Failure:
    """The provider said no."""
    return Refused(
        f"the sign-in was declined at the provider ({error})",
        f"if that was a mistake, {AGAIN}",
    )


def gave_up(words: str) -> Failure:
    """The command's own patience is over."""
    return NobodyAnswered(f"nobody signed in before Hermes there gave up: {words.rstrip('.')}", AGAIN)


def command_failed(status: int, words: str, *, delivered: bool) -> Failure:
    """The command failed.

    :param status: its exit status; negative where a signal ended it
    :param delivered: whether the browser's answer had been delivered to it
    """
    if status < 0:
        return Refused("a signal ended the command on the remote machine", AGAIN)
    return Refused(
        f"the remote command failed: {words or 'it said nothing'}"
        + (f" (exit status {status})" if status else ""),
        "the browser's answer had been delivered, so the tunnel is not the cause; -v shows all that the "
        "command printed"
        if delivered
        else f"-v shows all that it printed; when that is fixed, {AGAIN}",
    )


def nothing_recognised(words: str) -> Failure:
    """The command exited with 0, and did nothing that was recognised."""
    return RemoteCommandFailure(
        "the command exited with 0, but no sign-in was recognised"
        + (f"; its last words: {quote(words, _LONGEST_WORDS)}" if words else ""),
        "run it by hand there to see what it does",
    )


def unproven(conclusion: Conclude, program: str, status_command: str, *, not_seen: str = "") -> Failure:
    """A success that only a credential could have shown, and none did.

    :param program: what ran, in a word
    :param status_command: shows on the remote machine whether it is logged in
    :param not_seen: why nobody could look for its credential, where that is so
    """
    hint = f"see there whether it is logged in: {status_command}"
    unseen = not_seen and f"; whether it left a new credential could not be checked ({not_seen})"
    if not conclusion.announced:
        left = unseen or " and left no new credential"
        return RemoteCommandFailure(f"{program} exited with 0 but reported no success{left}", hint)
    if conclusion.ended:
        left = unseen or " but left no new credential"
        return RemoteCommandFailure(f"{program} reported success{left}", hint)
    left = unseen or " and left no new credential"
    return RemoteCommandFailure(f"{program} reported success but did not exit{left}", hint)
