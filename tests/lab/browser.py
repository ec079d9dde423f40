"""A program that ``$BROWSER`` can name, and the pages that it sees."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.lab import chromium
from tests.lab.chromium import Page
from tests.lab.network import Namespace, wait_for


class Browser:
    """A real one without a window; the last page that it saw is kept until it is asked for.

    ``program`` opens a page. Whoever starts it hears nothing from it, so ``said`` has what went wrong.
    """

    def __init__(self, laptop: Namespace, home: Path, directory: Path, name: str = "browser") -> None:
        self.program = directory / name
        self._laptop = laptop
        self._home = home
        self._page = directory / f"{name}.json"
        self._log = directory / f"{name}.log"

    def make(self) -> None:
        """Write the program."""
        argv = ["env", f"HOME={self._home}", sys.executable, chromium.__file__, "--page", str(self._page)]
        self.program.write_text(f'#!/bin/sh\nexec {shlex.join(argv)} "$@" 2>{shlex.quote(str(self._log))}\n')
        self.program.chmod(0o755)

    def open(self, url: str, environment: Mapping[str, str]) -> Page:
        """Open ``url``; the page where it came to rest."""
        self._laptop.run([self.program, url], check=True, timeout=90, env=environment, cwd=self._home)
        return self.page()

    def page(self, deadline: float = 70) -> Page:
        """The page at which a browser came to rest that some program started.

        AssertionError if none was started, or none came to rest. Each page is returned only once.
        """
        for process in self._processes():
            wait_for(process, deadline)
        assert self._page.exists(), f"no page was seen: {self.said}"
        page = Page(**json.loads(self._page.read_text()))
        self._page.unlink()
        return page

    @property
    def said(self) -> str:
        """What went wrong in the last browser, if it got no page."""
        return self._log.read_text(errors="replace").strip() if self._log.exists() else ""

    def _processes(self) -> list[int]:
        found = []
        for process in self._laptop.processes():
            try:
                argv = Path(f"/proc/{process}/cmdline").read_text(errors="replace").split("\0")
            except OSError:  # it has ended
                continue
            if str(self.program) in argv[:2] or str(self._page) in argv:
                found.append(process)
        return found
