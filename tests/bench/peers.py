"""The programs that are compared: each as the command line that a person, or a script, would use."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from tests.bench.hosts import PORT, Hosts

PYTHON = sys.executable
OURS = str(Path(PYTHON).with_name("hermes-tunnel"))
FORWARD = f"{PORT}:127.0.0.1:{PORT}"
INSTALLED = Path(__file__).resolve().parents[2] / ".venv-bench"
"""Where ``scripts/bench`` installs asyncssh, which nothing else needs."""
MARK = b"KNGP-VLJZ"
"""The code of the device login that everybody starts there: the first output has come when it has."""

_SSHTUNNEL = """
import sys, paramiko, sshtunnel
host, key, known, command, port = sys.argv[1:]
hosts = paramiko.HostKeys(known)
with sshtunnel.SSHTunnelForwarder(
    host, ssh_username="root", ssh_pkey=key, ssh_config_file=None, allow_agent=False,
    host_pkey_directories=[], ssh_host_key=hosts[host]["ssh-ed25519"],
    local_bind_address=("127.0.0.1", int(port)), remote_bind_address=("127.0.0.1", int(port)),
) as tunnel:
    channel = tunnel._transport.open_session()
    channel.get_pty()
    channel.exec_command(command)
    while data := channel.recv(4096):
        sys.stdout.buffer.write(data)
        sys.stdout.flush()
"""
_ASYNCSSH = """
import asyncio, sys
sys.path.append(sys.argv.pop(1))
import asyncssh
host, key, known, command, port = sys.argv[1:]
async def main():
    async with asyncssh.connect(host, username="root", client_keys=[key], known_hosts=known,
                                config=None, agent_path=None) as connection:
        await connection.forward_local_port("127.0.0.1", int(port), "127.0.0.1", int(port))
        process = await connection.create_process(command, term_type="xterm")
        while data := await process.stdout.read(4096):
            sys.stdout.write(data)
            sys.stdout.flush()
asyncio.run(main())
"""


class Peers:
    """Command lines between these hosts."""

    def __init__(self, hosts: Hosts) -> None:
        self._hosts = hosts
        self._ssh = ["ssh", "-F", str(hosts.config)]
        self.device = f"{hosts.hermes} auth add openai-codex --no-browser"

    def login(self, provider: str, host: str, *options: str, extra: Sequence[str] = ()) -> list[str]:
        """Our own login."""
        hermes = ("--hermes-path", str(self._hosts.hermes), "--no-browser", "--json")
        words = (provider, host, "-F", str(self._hosts.config), *hermes, *options)
        return [OURS, "login", *words, *(("--", *extra) if extra else ())]

    def ssh(self, host: str, *options: str, command: str | None = None) -> list[str]:
        """``ssh``, on one connection and with a terminal, as a login needs it."""
        return [*self._ssh, "-tt", *options, host, self.device if command is None else command]

    def ssh_forward(self, host: str) -> list[str]:
        """``ssh -N -L``: the second terminal."""
        return [*self._ssh, "-N", "-L", FORWARD, host]

    def ssh_look(self, host: str) -> list[str]:
        """A new ``ssh`` that looks for the credential."""
        return [*self._ssh, host, "stat -c %U:%a:%i,%s,%.9Z ~/.hermes/auth.json"]

    def sshtunnel(self, address: str) -> list[str]:
        """Plain sshtunnel, as its documentation has it."""
        return self._script(_SSHTUNNEL, address)

    def asyncssh(self, address: str) -> list[str]:
        """The same with asyncssh."""
        return self._script(_ASYNCSSH, str(INSTALLED), address)

    def _script(self, script: str, *words: str) -> list[str]:
        files = (str(self._hosts.directory / name) for name in ("key", "known_hosts"))
        return [PYTHON, "-c", script, *words, *files, self.device, str(PORT)]
