"""The local forward's listener: sshtunnel's forwarder, made to listen here and connect to nothing.

Left alone, sshtunnel would connect without checking the host key, and copy bytes blindly in both directions.
So we subclass its forwarder to never dial, to listen on loopback addresses only, and to hand each accepted
connection to our own handler, which delivers what it lets through over a connection that we checked.
sshtunnel has no public way to do this. The private names used here are checked at import, so that a release
without them fails with a clear error.

This is the only module that imports sshtunnel.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import selectors
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import sshtunnel

from hermes_tunnel.ssh.leaned_on import check

MEMBERS = {
    "": ("SSHTunnelForwarder", "_ForwardHandler", "_ThreadingForwardServer"),
    "SSHTunnelForwarder": (
        "_connect_to_gateway",
        "_make_ssh_forward_handler_class",
        "_make_ssh_forward_server",
        "_serve_forever_wrapper",
        "_stop_transport",
    ),
}
ATTRIBUTES = {"SSHTunnelForwarder": ("_server_list", "_transport")}
_EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_PAUSE_SECONDS = 0.1
logger = logging.getLogger(__name__)

Serve = Callable[[socket.socket], None]


def check_names(module: Any) -> None:
    """Check that a release of sshtunnel has the names used here, most of them undocumented.

    :raises Failure: it lacks some
    """
    check(module, "sshtunnel>=0.5.1,<0.6", members=MEMBERS, attributes=ATTRIBUTES)


check_names(sshtunnel)


class PortRefused(Exception):
    """A loopback address could not be bound; ``cause`` is the system's error."""

    def __init__(self, address: str, port: int, cause: OSError) -> None:
        super().__init__(f"{address} port {port}: {cause.strerror}")
        self.address = address
        self.port = port
        self.cause = cause


class _Server(sshtunnel._ThreadingForwardServer):  # type: ignore[misc]
    """One loopback listener; each connection has a thread that ends with it."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128  # a browser opens several connections at once
    # On Windows SO_REUSEADDR would let anybody take over the port; elsewhere it only skips TIME_WAIT.
    allow_reuse_address = os.name == "posix"

    def __init__(self, address: tuple[str, int], handler: type[Any]) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._stopped = False
        self._woken, self._waker = socket.socketpair()
        super().__init__(address, handler, logger=logger)
        self.socket.setblocking(False)  # the client to be accepted may have left

    def server_bind(self) -> None:
        exclusive = getattr(socket, "SO_EXCLUSIVEADDRUSE", None)  # Windows only
        if exclusive is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, exclusive, 1)
        if self.address_family == socket.AF_INET6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        super().server_bind()

    def finish_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._open.add(request)
        try:
            super().finish_request(request, client_address)
        finally:
            with self._lock:
                self._open.discard(request)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        raise  # noqa: PLE0704 - called inside the handler: a fault of ours, for the thread's hook

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = self.socket.accept()
        connection.setblocking(True)
        return connection, address

    def serve(self) -> None:
        """Accept connections until ``stop``, which ends the wait at once; socketserver would poll."""
        with selectors.DefaultSelector() as selector:
            for one in (self.socket, self._woken):
                selector.register(one, selectors.EVENT_READ)
            while not self._stopped:
                selector.select()
                self._accept()

    def stop(self) -> None:
        """Stop accepting connections."""
        self._stopped = True
        self._waker.send(b"\0")

    def server_close(self) -> None:
        """Serve those already connected, and stop listening."""
        self._accept()
        super().server_close()
        self._woken.close()
        self._waker.close()

    def _accept(self) -> None:
        try:
            while True:
                self.process_request(*self.get_request())
        except OSError as problem:  # mostly that nobody is waiting
            if problem.errno in _EXHAUSTED:  # whoever waits then still does, and we would look again at once
                time.sleep(_PAUSE_SECONDS)

    def hang_up(self) -> None:
        """End the connections still open, so that their threads end."""
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)


class _NoTransport:
    """What sshtunnel takes for its connection; it would not listen without one."""

    def is_active(self) -> bool:
        """Nothing more is ever asked of it."""
        return True


class LocalForward(sshtunnel.SSHTunnelForwarder):  # type: ignore[misc]
    """Listens on loopback for what goes to the remote.

    A context manager: it listens while entered, or raises ``PortRefused``.

    :param addresses: loopback addresses to listen on, such as ``("127.0.0.1",)``; all or none
    :param port: the port here, the one that the ``redirect_uri`` names
    :param serve: handles one accepted connection in a thread of its own
    :param settle: called at the end, before the connections still open are closed
    """

    def __init__(
        self,
        addresses: tuple[str, ...],
        port: int,
        serve: Serve,
        settle: Callable[[], object] = lambda: None,
    ) -> None:
        super().__init__(
            ("127.0.0.1", 1),  # never dialled: _connect_to_gateway is ours
            ssh_config_file=None,
            ssh_username="-",
            ssh_password="-",  # its constructor insists on one; it is never sent  # noqa: S106
            allow_agent=False,
            host_pkey_directories=[],
            local_bind_addresses=[(address, port) for address in addresses],
            remote_bind_addresses=[("127.0.0.1", port) for _ in addresses],
            logger=logger,
        )
        self._serve = serve
        self._settle = settle
        self._threads: list[threading.Thread] = []
        self._server_list: list[_Server] = []

    # -- what sshtunnel calls ----------------------------------------------------------------------

    def _connect_to_gateway(self) -> None:
        self._transport = _NoTransport()

    def _make_ssh_forward_handler_class(self, remote_address_: tuple[str, int]) -> type[Any]:
        serve = self._serve

        class Handler(sshtunnel._ForwardHandler):  # type: ignore[misc]
            remote_address = remote_address_

            def handle(self) -> None:
                serve(self.request)

        return Handler

    def _make_ssh_forward_server(self, remote: tuple[str, int], local: tuple[str, int]) -> None:
        try:
            self._server_list.append(_Server(local, self._make_ssh_forward_handler_class(remote)))
        except OSError as error:
            for server in self._server_list:  # nobody serves yet, so there is nobody to wait for
                server.server_close()
            self._server_list = []
            raise PortRefused(*local, error) from error

    def _serve_forever_wrapper(self, _srv: _Server, poll_interval: float = 0.1) -> None:  # noqa: ARG002
        self._threads.append(threading.current_thread())
        _srv.serve()

    def _stop_transport(self, force: bool = False) -> None:  # noqa: ARG002
        """Close the listeners and their connections; there is no SSH connection to close."""
        for server in self._server_list:
            server.stop()
        for thread in self._threads:
            thread.join()
        for server in self._server_list:
            server.server_close()
        self._settle()
        for server in self._server_list:
            server.hang_up()
        self._threads = []
        self.is_alive = False

    def __del__(self) -> None:
        """Whoever enters, exits; the base class would stop it whenever the garbage collector chooses."""
