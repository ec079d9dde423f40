"""A server that runs in a namespace."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from subprocess import PIPE, STDOUT, TimeoutExpired
from types import TracebackType

from tests.lab.network import Namespace


class Service:
    """A server of the lab: it serves from the moment this object exists until ``close()``.

    ``ready`` is in the line with which the server says that it listens, which may take ``deadline`` seconds.
    Everything that it prints is in ``printed``, and goes to the file ``log``.
    """

    def __init__(
        self,
        namespace: Namespace,
        argv: Sequence[str | Path],
        *,
        ready: str,
        log: Path,
        deadline: float = 15,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        self.log = log
        self.printed = ""
        self._process = namespace.popen(
            # The identity providers end with their standard input, so even if the lab is killed.
            argv,
            stdin=PIPE,
            stdout=PIPE,
            stderr=STDOUT,
            env=env,
            cwd=cwd,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._input, self._output = self._process.stdin, self._process.stdout
        self._said = threading.Event()
        self._ready = False
        self._copier = threading.Thread(target=self._copy, args=(ready.encode(),), daemon=True)
        self._copier.start()
        self._said.wait(deadline)
        if not self._ready:
            self.close()
            raise RuntimeError(f"{argv[0]} did not start:\n{log.read_text(errors='replace')}")

    def _copy(self, ready: bytes) -> None:
        with self.log.open("ab", buffering=0) as log, self._output as output:
            for line in output:
                log.write(line)
                self.printed += line.decode(errors="replace")
                if ready in line:
                    self._ready = True
                    self._said.set()
        self._said.set()  # it has ended

    def close(self) -> None:
        """End the server."""
        self._process.terminate()
        try:
            self._process.wait(5)
        except TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._input.close()
        # What the server started may still hold its output open; the namespace ends that.
        self._copier.join(1)

    def __enter__(self) -> Service:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
