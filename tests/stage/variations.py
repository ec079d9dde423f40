"""How a command on a server can vary: each function makes a ``Command``, most of them from another one."""

from __future__ import annotations

import http.client
import shlex

from hermes_tunnel.demo.loopback import ADDRESS, Loopback
from tests.stage.remote_process import Command, RemoteProcess


def asks_first(prompt: str, command: Command) -> Command:
    """Ask for something before the login, such as ``Spotify Client ID: ``; the end of input cancels."""

    def asking(process: RemoteProcess) -> int:
        process.write(prompt.encode())
        try:
            process.read_line()
        except EOFError:
            process.print("setup cancelled.")
            return 1
        return command(process)

    return asking


def prints_first(output: bytes, command: Command) -> Command:
    """Print something first: around ``installed`` it is noise of the shell's, inside it of Hermes'."""

    def printing(process: RemoteProcess) -> int:
        process.write(output)
        return command(process)

    return printing


def ends(status: int, output: bytes = b"") -> Command:
    """Print something and exit with a status."""

    def ending(process: RemoteProcess) -> int:
        process.write(output)
        return status

    return ending


def stays(after: Command | None = None) -> Command:
    """Never end by itself: be silent from the start, or after another command, whose status is dropped."""

    def staying(process: RemoteProcess) -> int:
        if after is not None:
            after(process)
        process.wait_for(lambda: False)
        return 0

    return staying


def ignores(signals: set[str], command: Command) -> Command:
    """Do not end on these signals, as after nohup(1)."""

    def ignoring(process: RemoteProcess) -> int:
        process.ignored |= signals
        return command(process)

    return ignoring


def relays(loopback: Loopback) -> Command:
    """The far end of a relay: an HTTP request on the input goes to its Host, the answer is the output."""

    def relaying(process: RemoteProcess) -> int:
        head: list[str] = []
        while line := process.read_line(10):
            head.append(line)
        method, target, _ = head[0].split(" ")
        form = process.read_line(10) if method == "POST" else None
        host = next(line.partition(":")[2].strip() for line in head if line.lower().startswith("host:"))
        port = loopback.find(int(host.rpartition(":")[2]))
        if port is None:
            return 7  # as the script does, and curl
        connection = http.client.HTTPConnection(ADDRESS, port, timeout=10)
        try:
            connection.request(method, target, form, {"Host": host, "Connection": "close"})
            response = connection.getresponse()
            onward = f"Location: {response.headers.get('Location', '')}\r\n"
            line = f"HTTP/1.1 {response.status} {response.reason}\r\n"
            process.write(f"{line}{onward}\r\n".encode() + response.read())
        finally:
            connection.close()
        return 0

    return relaying


def behind_sudo(password: str, command: Command) -> Command:
    """Let sudo(8) ask for a password with the prompt of its ``-p``; three tries."""

    def asking(process: RemoteProcess) -> int:
        words = shlex.split(process.line)
        if words[0] != "sudo" or "-p" not in words:
            return command(process)
        process.echo = False
        for _ in range(3):
            process.write(words[words.index("-p") + 1].encode())
            if process.read_line() == password:
                process.print()
                return command(process)
            process.print("\nSorry, try again.")
        process.print("sudo: 3 incorrect password attempts")
        return 1

    return asking
