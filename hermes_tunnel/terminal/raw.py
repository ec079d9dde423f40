"""The person's terminal while a program elsewhere has it: raw, so that every key is the program's.

What ssh(1) does with it: no key means anything here, Ctrl-C neither, and nothing is echoed. Whatever ends or
stops this program, the terminal is as it was before; when it goes on, raw again.
"""

from __future__ import annotations

import contextlib
import os
import signal
import struct
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType, TracebackType
from typing import Any

from hermes_tunnel.terminal.mode import in_foreground, remember
from hermes_tunnel.terminal.modes import encoded

if sys.platform != "win32":
    import fcntl
    import termios
else:
    from hermes_tunnel.terminal.windows_modes import console_modes, set_console_modes

    fcntl: Any = None
    termios: Any = None

_LOOK_SECONDS = 0.5  # how often the size is looked at where no signal tells of it


@dataclass(frozen=True)
class Size:
    """Of a window, in characters and, if the terminal knows, in pixels."""

    columns: int = 0
    rows: int = 0
    width: int = 0
    height: int = 0


class RawTerminal:
    """A terminal that is raw within ``with``. For the main thread, which hears the signals.

    :param descriptor: the terminal; what is no terminal is left alone, and has no size
    :param resized: called by a signal's handler when the window may have another size; so it takes no lock
    """

    def __init__(self, descriptor: int, resized: Callable[[], object] = lambda: None) -> None:
        self._descriptor = descriptor
        self._resized = resized
        self._before = _attributes(descriptor)
        self._wanted = False
        self._raw = False
        self._handlers: dict[int, Any] = {}
        self._lock = threading.RLock()  # a signal's handler may interrupt whoever holds it
        remember(self)

    @property
    def is_terminal(self) -> bool:
        """Whether it is one."""
        return self._before is not None

    @property
    def modes(self) -> bytes:
        """How it was set before, for a server (RFC 4254 section 8)."""
        return encoded(self._before)

    @property
    def size(self) -> Size:
        """The size of its window now."""
        if fcntl is None:
            with contextlib.suppress(OSError, ValueError):
                return Size(*os.get_terminal_size(self._descriptor))
            return Size()
        try:
            answer = fcntl.ioctl(self._descriptor, termios.TIOCGWINSZ, b"\0" * 8)
        except (OSError, ValueError):  # no terminal; no descriptor at all
            return Size()
        rows, columns, width, height = struct.unpack("HHHH", answer)
        return Size(columns, rows, width, height)

    def __enter__(self) -> RawTerminal:
        self._wanted = True
        if self.is_terminal:
            self._handle("SIGWINCH", lambda *_: self._resized())
            self._handle("SIGTSTP", lambda *_: self.suspend())
            self._handle("SIGCONT", self._go_on)
            self._handle("SIGQUIT", self._quit)
        self._set()
        if sys.platform == "win32" and self.is_terminal:
            threading.Thread(target=self._look, name="size", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        self._handlers.clear()

    def end(self) -> None:
        """Restore the mode, for good; any thread may do that."""
        self._wanted = False
        self._give_back()

    def suspend(self) -> None:
        """Stop this program, as Ctrl-Z does, until it is continued; the terminal is the shell's meanwhile."""
        if sys.platform == "win32":
            return
        self._give_back()
        before = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTSTP)  # here it stops, until fg or bg
        signal.signal(signal.SIGTSTP, before)
        self._go_on(0, None)

    def _go_on(self, _: int, __: FrameType | None) -> None:
        """Something may have changed the mode, or the window, while the program was stopped."""
        self._set()
        self._resized()

    def _quit(self, number: int, _: FrameType | None) -> None:
        self.end()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    def _look(self) -> None:
        """Where no signal tells of it, see whether the window has another size."""
        before = self.size
        while self._wanted:
            time.sleep(_LOOK_SECONDS)
            if (now := self.size) != before:
                before = now
                self._resized()

    def _handle(self, name: str, handler: Callable[[int, FrameType | None], object]) -> None:
        if (number := getattr(signal, name, None)) is not None:
            before = signal.getsignal(number)
            if before != signal.SIG_IGN:
                self._handlers[number] = before
                signal.signal(number, handler)

    def _set(self) -> None:
        with self._lock:
            if self._wanted and self._before is not None and in_foreground(self._descriptor):
                self._raw = self._put(_raw(self._before))

    def _give_back(self) -> None:
        with self._lock:
            # In the background it is the shell's, which has set it as it likes.
            if self._raw and in_foreground(self._descriptor):
                self._put(self._before)
            self._raw = False

    def _put(self, attributes: Any) -> bool:
        if sys.platform == "win32":
            return set_console_modes(attributes)
        try:  # at once: after Ctrl-S, waiting for the output to drain would take until Ctrl-Q
            termios.tcsetattr(self._descriptor, termios.TCSANOW, attributes)
        except termios.error:  # the terminal is gone
            return False
        return True


def _attributes(descriptor: int) -> Any:
    if sys.platform == "win32":
        return console_modes() if descriptor == 0 else None
    try:
        attributes: list[Any] = termios.tcgetattr(descriptor)
    except (termios.error, ValueError):
        return None
    return attributes


def _raw(attributes: Any) -> Any:
    """The raw mode of ssh (sshtty.c), which is nearly that of cfmakeraw(3)."""
    if sys.platform == "win32":
        return attributes.raw
    flags_in, flags_out, control, local, *speeds, characters = attributes
    for name in ("ISTRIP", "INLCR", "IGNCR", "ICRNL", "IXON", "IXANY", "IXOFF", "IUCLC"):
        flags_in &= ~getattr(termios, name, 0)
    for name in ("ISIG", "ICANON", "ECHO", "ECHOE", "ECHOK", "ECHONL", "IEXTEN"):
        local &= ~getattr(termios, name, 0)
    characters = list(characters)
    characters[termios.VMIN], characters[termios.VTIME] = 1, 0
    return [flags_in | termios.IGNPAR, flags_out & ~termios.OPOST, control, local, *speeds, characters]
