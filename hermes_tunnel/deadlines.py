"""Every time that is allowed for something, in one table, so that no two of them can disagree.

Each deadline says from when it is measured. A number that is not here is a pace (how often something is
looked at), not a deadline.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Deadline:
    """How long something may take.

    :param seconds: the time allowed
    :param measured_from: when it begins to count
    """

    seconds: float
    measured_from: str


def seconds_of(deadline: Deadline) -> float:
    """What the table says. A parameter takes the place of this function where nobody can wait that long."""
    return deadline.seconds


# The command on the remote machine.
SESSION = Deadline(15.0, "the request for a session, and each of the requests on it")
BEGIN = Deadline(
    30.0, "the request to run the command, or the answer to sudo's question: a slow start-up file"
)
GO_ON = Deadline(5.0, "a start-up file's question, which nobody answers here")
ASK = Deadline(60.0, "the begin marker, or the answer to a question: the command's own first request")
FINISH = Deadline(60.0, "the answer given to the command: it redeems the code")
END = Deadline(5.0, "the success line, the denial, or the end of the input: nothing is left to do")
STATUS = Deadline(5.0, "the end of the output, until the exit status")
DRAIN = Deadline(
    1.0, "the exit status, or the last output that came after it, until the output counts as ended"
)
LOOK = Deadline(5.0, "the request to run a command that only looks")

# The callback.
HEAD = Deadline(10.0, "the connection of the browser, until its request is there")
CHANNEL = Deadline(30.0, "the request for the channel to the listener, or for the relay's session")
RELAY_BEGIN = Deadline(30.0, "the request to run the relay: a slow start-up file")
DELIVERY = Deadline(60.0, "the last byte of the request, until the listener's answer has ended")
LINK = Deadline(
    30.0, "the browser's coming while the connection is down: it waits for its page about that long"
)
OFFER = Deadline(3.0, "the invitation, until the command has said that it takes an address at its prompt")

# The connection.
KEY_EXCHANGE = Deadline(60.0, "the server's identification; ConnectTimeout instead, where that is shorter")
AGENT_LIST = Deadline(5.0, "the question to the agent which keys it has")
AUTHENTICATION = Deadline(
    120.0, "a request of the authentication protocol, until its reply; the person's own time is not counted"
)
