"""The invitation stands last on the screen, below what the command goes on to print."""

from __future__ import annotations

from hermes_tunnel import events
from hermes_tunnel.terminal.console import Console

_INVITATION = (
    events.Forwarding,
    events.AuthorizationAsked,
    events.QrCode,
    events.CodeCopied,
    events.Browser,
    events.PasteOffered,
)


class News:
    """Shows events, holding back an invitation until the command has finished talking, or long enough."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._held: list[events.Event] | None = None

    def hold(self) -> None:
        """Hold back an invitation until ``release``, or until something else happens."""
        if self._held is None:
            self._held = []

    def release(self, *, over: bool = False) -> None:
        """Show what was held back.

        :param over: whether the command has had its last word, which an error may be about to quote
        """
        held, self._held = self._held or [], None
        for event in held:
            self._console.show(event)
        if not over:
            self._console.quiet()

    def show(self, event: events.Event) -> None:
        """Show an event, now or later."""
        if self._held is not None and isinstance(event, _INVITATION):
            self._held.append(event)
            return
        if self._held and not isinstance(event, events.RemoteLine):
            self.release()
        self._console.show(event)
