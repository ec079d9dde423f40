"""What has to stand last on the screen: the invitation, below what the command goes on to say."""

from __future__ import annotations

from hermes_tunnel import events
from hermes_tunnel.terminal.console import Console

_INVITATION = (events.Forwarding, events.AuthorizationAsked, events.Browser)


class News:
    """Shows what happens; an invitation when the command has said its part, if that is not long."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._held: list[events.Event] | None = None

    def hold(self) -> None:
        """Hold an invitation back from now on, until ``release`` or whatever else happens."""
        if self._held is None:
            self._held = []

    def release(self) -> None:
        """The command is silent, or it has been long enough."""
        held, self._held = self._held or [], None
        for event in held:
            self._console.show(event)
        self._console.quiet()

    def show(self, event: events.Event) -> None:
        """Show an event, now or later."""
        if self._held is not None and isinstance(event, _INVITATION):
            self._held.append(event)
            return
        if self._held and not isinstance(event, events.RemoteLine):
            self.release()
        self._console.show(event)
