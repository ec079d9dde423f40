"""ServerAliveInterval and ServerAliveCountMax (ssh_config(5)), for every hop of a connection.

paramiko's own keepalive asks and never waits for an answer: a peer that is gone would not be missed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

import paramiko

from hermes_tunnel.ssh.hop import HopConfiguration
from hermes_tunnel.ssh.transport import Transport


class ServerAlive(threading.Thread):
    """Asks each hop for a sign of life, first hop first, so that the one that fell silent is blamed.

    Intervals are counted, not seconds, so that a laptop that slept is not taken for a dead server.

    :param hops: first hop first
    """

    def __init__(self, hops: Sequence[tuple[HopConfiguration, Transport]]) -> None:
        super().__init__(name="ServerAlive", daemon=True)
        self._hops = [_Hop(*hop) for hop in hops]
        self._ending = threading.Event()
        self.silent: HopConfiguration | None = None
        """The hop that did not answer ServerAliveCountMax times."""

    def run(self) -> None:
        """Until a hop is lost or ``stop`` is called."""
        while not self._ending.wait(max(0.0, min(hop.due for hop in self._hops) - time.monotonic())):
            for hop in [each for each in self._hops if each.due <= time.monotonic()]:
                if not hop.transport.is_active():
                    return
                if hop.is_silent():
                    self.silent = hop.configuration
                    # Whoever waits for one of the transports is woken up.
                    for each in reversed(self._hops):
                        each.transport.close()
                    return
                try:
                    hop.transport.probe()
                except (OSError, EOFError, paramiko.SSHException):
                    return

    def stop(self) -> None:
        """Ask no more."""
        self._ending.set()
        if self.ident is not None:  # a signal may come before it was started
            self.join()


class _Hop:
    def __init__(self, configuration: HopConfiguration, transport: Transport) -> None:
        self.configuration = configuration
        self.transport = transport
        self.due = time.monotonic() + configuration.server_alive_interval
        self._heard = transport.heard
        self._missed = 0

    def is_silent(self) -> bool:
        """Judge the interval that is over, and begin the next."""
        self._missed = self._missed + 1 if self.transport.heard == self._heard else 0
        self._heard = self.transport.heard
        self.due = time.monotonic() + self.configuration.server_alive_interval
        return self._missed >= self.configuration.server_alive_count_max
