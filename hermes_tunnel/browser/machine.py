"""The machine that a browser is opened on: which system it is, which programs it has."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

_DIRECTORIES = (  # of snap, flatpak and, in WSL, Windows; they are not always on PATH
    "/snap/bin",
    "~/.local/share/flatpak/exports/bin",
    "/var/lib/flatpak/exports/bin",
    "/mnt/c/Windows/System32",
)


def find(name: str) -> str | None:
    """The path of a program; None if there is none."""
    if sys.platform == "win32":
        return shutil.which(name) or _application(name)
    return shutil.which(name) or shutil.which(name, path=":".join(map(os.path.expanduser, _DIRECTORIES)))


if sys.platform == "win32":

    def _application(name: str) -> str | None:
        """Where ``start`` would find a browser: Windows rarely has one on PATH, but lists it here."""
        import winreg

        key = rf"SOFTWARE\Microsoft\Windows\CurrentVersion\App Paths\{name.removesuffix('.exe')}.exe"
        for root in (winreg.HKEY_CURRENT_USER, winreg.HKEY_LOCAL_MACHINE):
            try:
                path = winreg.QueryValue(root, key).strip('"')
            except (OSError, ValueError):
                continue
            if path:
                return path
        return None


def _kernel() -> str:
    if sys.platform == "win32":
        return ""
    return os.uname().release


@dataclass(frozen=True)
class Machine:
    """What the choice of a browser depends on.

    :param platform: as in ``sys.platform``
    :param kernel: its release, by which WSL is recognised
    :param find: the path of a program, by name or path; None if there is none
    """

    platform: str = sys.platform
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    kernel: str = field(default_factory=_kernel)
    find: Callable[[str], str | None] = find

    @property
    def is_windows(self) -> bool:
        """Whether this is Windows itself."""
        return self.platform == "win32"

    @property
    def is_wsl(self) -> bool:
        """Whether this is Linux inside Windows, where the browser is."""
        return self.platform == "linux" and "microsoft" in self.kernel.lower()

    @property
    def has_display(self) -> bool:
        """Whether a program would find an X11 or Wayland display."""
        return bool(self.environment.get("DISPLAY") or self.environment.get("WAYLAND_DISPLAY"))


def base_name(path: str) -> str:
    """What a program is called, wherever it is."""
    return path.replace("\\", "/").rpartition("/")[2].lower().removesuffix(".exe")
