"""ServerAliveInterval and ServerAliveCountMax (ssh_config(5)), for every hop of a connection.

paramiko's own keepalive asks but never waits for an answer: it would not notice that a peer is gone.
"""

from __future__ import annotations

import threading
import time
from contextlib import suppress

import paramiko

from hermes_tunnel.ssh.config.hop import HopConfiguration
from hermes_tunnel.ssh.transport import Transport


class ServerAlive(threading.Thread):
    """Asks each hop for a sign of life, first hop first, so that the one that fell silent is blamed.

    It counts intervals, not seconds, so that it does not take a laptop's sleep for a dead server.
    """

    def __init__(self) -> None:
        super().__init__(name="ServerAlive", daemon=True)
        self._hops: list[_Hop] = []
        self._news = threading.Event()
        self._ending = False
        self.silent: HopConfiguration | None = None
        """The hop that was silent for ServerAliveCountMax times ServerAliveInterval."""

    def watch(self, configuration: HopConfiguration, transport: Transport) -> None:
        """Ask this hop too; it is behind those watched so far."""
        self._hops.append(_Hop(configuration, transport))
        self._news.set()
        if self.ident is None:
            self.start()

    def run(self) -> None:
        """Ask until a hop is lost or ``stop`` is called."""
        while True:
            self._news.wait(max(0.0, min(hop.due for hop in self._hops) - time.monotonic()))
            self._news.clear()
            if self._ending:
                return
            for hop in [each for each in self._hops if each.due <= time.monotonic()]:
                if not hop.transport.is_active():
                    return
                if hop.was_heard():
                    continue
                if hop.is_silent():
                    self.silent = hop.configuration
                    # Wake whoever waits for one of the transports.
                    for each in reversed(self._hops):
                        # What carries it may be broken already.
                        with suppress(paramiko.SSHException, EOFError, OSError):
                            each.transport.close()
                    return
                hop.transport.probe()

    def stop(self) -> None:
        """Stop asking."""
        self._ending = True
        self._news.set()
        if self.ident is not None:  # nothing to watch, or a signal came before it was started
            self.join()


class _Hop:
    def __init__(self, configuration: HopConfiguration, transport: Transport) -> None:
        self.configuration = configuration
        self.transport = transport
        self._missed = 0
        self._begin(transport.heard)

    def was_heard(self) -> bool:
        """Whether a packet came since the interval began; if so, the next begins with it."""
        heard = self.transport.heard
        if heard == self._heard:
            return False
        self._missed = 0
        self._begin(heard)
        return True

    def is_silent(self) -> bool:
        """Count the interval that has passed without a packet, and begin the next."""
        self._missed += 1
        self.due = time.monotonic() + self.configuration.server_alive_interval
        return self._missed >= self.configuration.server_alive_count_max

    def _begin(self, heard: float) -> None:
        self._heard = heard
        self.due = heard + self.configuration.server_alive_interval
