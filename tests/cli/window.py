"""A window in front of a person: a program plays in this process, and what the window shows is read off."""

from __future__ import annotations

import codecs
import os
import re
import select
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.terminal.pseudo_terminal import open_pair, resize

_SECONDS = 20.0
_STYLE = re.compile(r"\x1b\[[0-9;]*m|\x1b\]8;;.*?\x1b\\")
_PASSING = "~ "
"""Before a line that was rewritten: it was to be seen for a while."""

Act = Callable[[], object]


@dataclass
class Window:
    """A terminal that the program is given as its standard streams, and the person who sits at it.

    :param columns: its width
    :param variables: what the program's environment has beside the usual
    :param encoding: the terminal's
    """

    columns: int = 80
    variables: Mapping[str, str] = field(default_factory=dict)
    encoding: str = "utf-8"
    output: str = ""

    def play(self, program: Act, person: Sequence[tuple[str, str | Act]] = ()) -> None:
        """Run the program to its end.

        :param person: what is waited for on the screen, each with what is typed then, or done
        """
        master, slave = open_pair()
        resize(slave, self.columns, 50)
        watching = threading.Thread(target=self._watch, args=(master, list(person)), name="person")
        watching.start()
        try:
            with self._streams(slave):
                program()
        finally:
            os.close(slave)
            watching.join(_SECONDS)
            os.close(master)

    def _watch(self, master: int, person: list[tuple[str, str | Act]]) -> None:
        decode = codecs.getincrementaldecoder(self.encoding)("replace").decode
        until, seen = time.monotonic() + _SECONDS, 0
        while time.monotonic() < until:
            if not select.select([master], [], [], 0.1)[0]:
                continue
            try:
                data = os.read(master, 65536)
            except OSError:  # the program has closed its end
                return
            self.output += decode(data)
            while person and person[0][0] in self.output[seen:]:
                words, answer = person.pop(0)
                seen = self.output.index(words, seen) + len(words)
                if isinstance(answer, str):
                    time.sleep(0.05)  # a question drops what was typed before it
                    os.write(master, answer.encode())
                else:
                    answer()

    @contextmanager
    def _streams(self, slave: int) -> Iterator[None]:
        before, environment = (sys.stdin, sys.stdout, sys.stderr), dict(os.environ)
        for name in ("NO_COLOR", "TERM_PROGRAM", "VTE_VERSION", "WT_SESSION", "KONSOLE_VERSION", "TMUX"):
            os.environ.pop(name, None)
        os.environ.update({"TERM": "xterm", "SSH_AUTH_SOCK": "", **self.variables})
        streams = [os.fdopen(os.dup(slave), mode, encoding=self.encoding) for mode in ("r", "w", "w")]
        try:
            sys.stdin, sys.stdout, sys.stderr = streams
            yield
        finally:
            for stream in (sys.stdout, sys.stderr):
                stream.flush()
            sys.stdin, sys.stdout, sys.stderr = before
            os.environ.clear()
            os.environ.update(environment)
            for stream in streams:
                stream.close()


def shown(output: str, columns: int) -> list[str]:
    """The rows of a window, as it wraps them, without styles; lines that were rewritten are marked."""
    rows: list[str] = []
    for line in _STYLE.sub("", output).replace("\r\n", "\n").rstrip("\n").split("\n"):
        *passing, last = line.split("\r")
        # That Hermes has yet to start may be over too fast to be seen.
        kept = [each.strip() for each in passing if each.strip() and "to start" not in each]
        rows += dict.fromkeys(_PASSING + re.sub(r"\d+:\d\d left", "2:50 left", each) for each in kept)
        rows += [last[at : at + columns].rstrip() for at in range(0, max(len(last), 1), columns)]
    return rows
