"""The person's ssh-agent (draft-ietf-sshm-ssh-agent): the keys it has, and signatures by them."""

from __future__ import annotations

import struct
import time
from collections.abc import Callable
from dataclasses import dataclass

from hermes_tunnel.deadlines import AGENT_LIST
from hermes_tunnel.ssh.authentication.agent_socket import LARGEST, AgentProblem, AgentSocket, reach
from hermes_tunnel.ssh.public_key import key_type
from hermes_tunnel.ssh.waiting import Meanwhile, nothing, telling
from hermes_tunnel.ssh.wire import Reader, packed

__all__ = ["Agent", "AgentKey", "AgentProblem"]

_REQUEST_IDENTITIES, _IDENTITIES_ANSWER = 11, 12
_SIGN_REQUEST, _SIGN_RESPONSE = 13, 14
_EXTENSION = 27
_RSA_FLAGS = {"rsa-sha2-256": 2, "rsa-sha2-512": 4}
# Say nothing if the agent answers at once; say something if it waits for a touch.
_SILENT_SECONDS = 1.0


@dataclass(frozen=True)
class AgentKey:
    """A key that the agent holds.

    :param blob: the public half, or a certificate
    :param comment: what the agent calls it, as it came
    """

    blob: bytes
    comment: str


class Agent:
    """A connection to an agent.

    :param path: the agent's socket; None for SSH_AUTH_SOCK, or for what Windows has
    :param meanwhile: called while waiting for the agent
    :param seconds: how long the agent may take until it has listed its keys
    :param connect: how to reach it
    :raises AgentProblem: there is none, or it cannot be reached
    """

    def __init__(
        self,
        path: str | None,
        meanwhile: Meanwhile = nothing,
        *,
        seconds: float = AGENT_LIST.seconds,
        connect: Callable[[str | None, float], AgentSocket] = reach,
    ) -> None:
        self._until = time.monotonic() + seconds
        self._meanwhile = meanwhile
        self._connection = connect(path, seconds)

    def bind(self, host_key: bytes, session_id: bytes, signature: bytes) -> None:
        """Tell it for whom it will sign (OpenSSH's PROTOCOL.agent, ``session-bind@openssh.com``).

        Without this, it does not even list keys restricted to hosts (``ssh-add -h``). An agent that does not
        know the message says so, which does no harm.

        :param signature: the host key's signature of the session identifier
        :raises AgentProblem: it did not answer in time, or not sensibly
        """
        not_forwarding = b"\0"
        request = packed(b"session-bind@openssh.com", host_key, session_id, signature) + not_forwarding
        self._ask(bytes([_EXTENSION]) + request, self._in_time)

    def keys(self) -> list[AgentKey]:
        """All keys, in the agent's order.

        :raises AgentProblem: it did not answer in time, or not with a list
        """
        kind, answer = self._ask(bytes([_REQUEST_IDENTITIES]), self._in_time)
        if kind != _IDENTITIES_ANSWER:
            raise AgentProblem("it does not list its keys")
        reader = Reader(answer)
        try:
            pairs = [(reader.string(), reader.string()) for _ in range(reader.number())]
            for blob, _ in pairs:
                key_type(blob)
        except ValueError as problem:
            raise AgentProblem("its list of keys is damaged") from problem
        return [AgentKey(blob, comment.decode(errors="replace")) for blob, comment in pairs]

    def sign(
        self,
        blob: bytes,
        data: bytes,
        algorithm: str,
        meanwhile: Meanwhile,
        slow: Callable[[], object],
    ) -> bytes:
        """The signature blob of a key; a person may have to touch something first.

        :param meanwhile: called while waiting for it, without a limit
        :param slow: called once if the agent does not answer at once
        :raises AgentProblem: it refused
        """
        flags = _RSA_FLAGS.get(algorithm.removesuffix("-cert-v01@openssh.com"), 0)
        request = bytes([_SIGN_REQUEST]) + packed(blob, data) + struct.pack(">I", flags)
        kind, answer = self._ask(request, telling(slow, meanwhile, _SILENT_SECONDS))
        if kind != _SIGN_RESPONSE:
            raise AgentProblem("it refused to sign")
        try:
            return Reader(answer).string()
        except ValueError as problem:
            raise AgentProblem("its signature is damaged") from problem

    def close(self) -> None:
        """End the connection to the agent."""
        self._connection.close()

    def _in_time(self) -> None:
        self._meanwhile()
        if time.monotonic() >= self._until:
            raise AgentProblem("it did not answer in time")

    def _ask(self, request: bytes, meanwhile: Meanwhile) -> tuple[int, bytes]:
        try:
            self._connection.send(packed(request))
            (length,) = struct.unpack(">I", self._receive(4, meanwhile))
            if not 0 < length <= LARGEST:
                raise AgentProblem("its answer is not an agent's")
            answer = self._receive(length, meanwhile)
        except OSError as problem:
            raise AgentProblem(problem.strerror or "it went away") from problem
        return answer[0], answer[1:]

    def _receive(self, count: int, meanwhile: Meanwhile) -> bytes:
        data = bytearray()
        while len(data) < count:
            try:
                more = self._connection.recv(count - len(data))
            except TimeoutError:
                meanwhile()
                continue
            if not more:
                raise AgentProblem("it went away")
            data += more
        return bytes(data)
