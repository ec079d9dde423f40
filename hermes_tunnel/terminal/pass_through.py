"""What the person types goes to a program, what it prints comes to them: in threads that do nothing else."""

from __future__ import annotations

import math
import os
import select
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from hermes_tunnel.terminal.escapes import Echo, Escape, Escapes
from hermes_tunnel.terminal.waking import Waking

_PAUSE = 0.2  # seconds without output until a line of ours may be shown
_CHUNK = 64 * 1024
_END_SECONDS = 1.0  # a thread that was woken ends in a moment


class Shows(Protocol):
    """What is needed of where output goes: ``display.Display`` says what each call does."""

    def write(self, data: bytes) -> None:
        """Show bytes of the program's."""

    def show(self, data: bytes) -> None:
        """Show bytes of ours."""

    def pause(self) -> None:
        """The program prints nothing just now."""


class Program(Protocol):
    """What is needed of a program: ``ssh.connection.Process`` says what each call does."""

    def read(self, seconds: float | None = None) -> bytes:
        """Some of its output."""

    def read_error(self, seconds: float | None = None) -> bytes:
        """Some of its standard error."""

    def write(self, data: bytes, seconds: float = ...) -> None:
        """Send it all the data."""

    def end_input(self) -> None:
        """Nothing more will be written."""


@dataclass(frozen=True)
class OutputEnded:
    """The program's output has ended."""


@dataclass(frozen=True)
class NobodyReads:
    """What the program prints can no longer be written here: whoever read it has gone."""


class PassThrough:
    """The two directions, within ``with``.

    :param program: has the person's terminal, or their pipes
    :param output: where its output goes
    :param errors: where its standard error goes, if that is apart
    :param typed: the descriptor of standard input; -1 if there is none
    :param escapes: what is not for the program; None if everything is
    :param post: told of each ``Escape``, in the typing thread, and of the output's end
    :param copy: given each chunk of the output as it comes, in the thread that writes it; must not wait
    """

    def __init__(
        self,
        program: Program,
        output: Shows,
        errors: Shows | None,
        *,
        typed: int,
        escapes: Escapes | None,
        post: Callable[[object], object],
        copy: Callable[[bytes], object] = lambda _: None,
    ) -> None:
        self._program = program
        self._output = output
        self._typed_from = typed
        self._escapes = escapes or Escapes(b"")
        self._post = post
        self._copy = copy
        self._over = False
        self._waking: Waking | None = None
        # The output's waits for the errors' to end, so that one is started first.
        self._errors = (
            None
            if errors is None
            else threading.Thread(target=self._read_errors, args=(errors,), name="errors", daemon=True)
        )
        output_thread = threading.Thread(target=self._read, name="output", daemon=True)
        self._threads = [*filter(None, [self._errors]), output_thread]
        self._typing = threading.Thread(target=self._type, name="typed", daemon=True)

    def __enter__(self) -> PassThrough:
        if sys.platform != "win32":
            self._waking = Waking()
        for thread in (*self._threads, self._typing):
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop; the program's end of it must have been closed, or have ended."""
        self._over = True
        if self._waking is not None:
            self._waking.wake()
            self._typing.join(_END_SECONDS)
            if not self._typing.is_alive():
                self._waking.close()
        for thread in self._threads:
            thread.join(_END_SECONDS)

    # -- from the program ------------------------------------------------------------------------------

    def _read(self) -> None:
        if self._pump(self._program.read, self._output, self._copy):
            if self._errors is not None:
                self._errors.join()
            self._post(OutputEnded())

    def _read_errors(self, errors: Shows) -> None:
        self._pump(self._program.read_error, errors, self._copy)

    def _pump(self, read: Callable[[float], bytes], display: Shows, copy: Callable[[bytes], object]) -> bool:
        """Whether all of it could be written."""
        while not self._over:
            try:
                data = read(_PAUSE)
                if not data:
                    display.pause()
                    break
                display.write(data)
            except TimeoutError:
                with suppress(OSError):
                    display.pause()
                continue
            except OSError:
                self._post(NobodyReads())
                return False
            copy(data)
        return True

    # -- to the program --------------------------------------------------------------------------------

    def _type(self) -> None:
        with suppress(BrokenPipeError):  # it has ended; the other thread says so
            while self._is_typed():
                data = self._typed()
                for one in self._escapes.receive(data):
                    if isinstance(one, bytes):
                        self._program.write(one, math.inf)
                    elif isinstance(one, Echo):
                        self._echo(one.shown)
                    else:
                        self._post(one)
                if not data:
                    self._program.end_input()
                    return

    def _is_typed(self) -> bool:
        """Wait for something to read; False if it is over first."""
        readable: Sequence[int] = []
        while self._waking is not None and not self._over and self._typed_from not in (-1, *readable):
            readable, _, _ = select.select([self._waking.descriptor, self._typed_from], [], [])
        return not self._over

    def _typed(self) -> bytes:
        """What was typed; nothing at the end of the input, or if the terminal is gone."""
        try:
            return os.read(self._typed_from, _CHUNK)
        except OSError:
            return b""

    def _echo(self, shown: bytes) -> None:
        with suppress(OSError):
            self._output.show(shown)


__all__ = ["Escape", "NobodyReads", "OutputEnded", "PassThrough", "Program"]
