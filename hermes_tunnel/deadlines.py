"""Every deadline, in one table, so that no two can disagree.

Each one says when its clock starts. A number that is not here is a pace (how often we look at something),
not a deadline.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Deadline:
    """How long something may take.

    :param seconds: the time allowed
    :param measured_from: when the clock starts
    """

    seconds: float
    measured_from: str


def seconds_of(deadline: Deadline) -> float:
    """What the table says. A parameter takes the place of this function where nobody can wait that long."""
    return deadline.seconds


# The command on the remote machine.
SESSION = Deadline(15.0, "the request for a session, and each request on it")
BEGIN = Deadline(
    30.0, "the request to run the command, or the answer to sudo's question: a slow start-up file"
)
DOUBT = Deadline(
    5.0,
    "the request to run the command, until we see whether the account's shell runs another: most are quicker",
)
LOGIN_SHELL = Deadline(
    5.0, "the start of the account's login shell, until it has said what only a person's shell knows"
)
GO_ON = Deadline(5.0, "a start-up file's question, which nobody here answers")
ASK = Deadline(60.0, "the begin marker, or the answer to a question: the command's own first request")
FINISH = Deadline(60.0, "the answer to the command, which then redeems the code")
END = Deadline(5.0, "the success line, the denial, or the end of the input: nothing is left to do")
STATUS = Deadline(5.0, "the end of the output, until the exit status")
DRAIN = Deadline(
    1.0, "the exit status, or the last output that came after it, until the output counts as ended"
)
LOOK = Deadline(5.0, "the request to run a command that only looks")

# The callback.
HEAD = Deadline(10.0, "the browser's connection, until its request has come")
CHANNEL = Deadline(30.0, "the request for the channel to the listener, or for the relay's session")
RELAY_BEGIN = Deadline(30.0, "the request to run the relay: a slow start-up file")
DELIVERY = Deadline(60.0, "the last byte of the request, until the listener's answer has ended")
LINK = Deadline(
    30.0, "the browser's arrival while the connection is down: it waits about that long for its page"
)
LISTENER = Deadline(10.0, "the browser's arrival, until the program that showed the page listens (run)")
SUCCESS_PAGE = Deadline(15.0, "the listener's answer, until the page that it redirects to has been fetched")
OPEN_PORT = Deadline(600.0, "listening on a port for a program's login (run)")
OFFER = Deadline(3.0, "the invitation, until the command has said that it takes an address at its prompt")

# The connection.
CONFIGURATION = Deadline(300.0, "asking ssh how to reach a host: a Match exec may wait for a person")
CONNECT = Deadline(15.0, "dialling, unless ConnectTimeout is set")
IDENTIFICATION = Deadline(
    120.0, "dialling, until the server says what it is, unless ConnectTimeout is set: a proxy may ask first"
)
KEY_EXCHANGE = Deadline(60.0, "the server's identification")
AGENT_LIST = Deadline(5.0, "asking the agent which keys it has")
AUTHENTICATION = Deadline(
    300.0, "a request of the authentication protocol, until its reply; the person's own time does not count"
)
