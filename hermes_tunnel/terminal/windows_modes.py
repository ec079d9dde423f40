"""The modes of Windows' console while a program elsewhere has it (Console Virtual Terminal Sequences).

Its keys then come as the bytes that a terminal sends, and what the program prints is understood as by one.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass, replace
from typing import Any

_INPUT, _OUTPUT = -10, -11  # GetStdHandle
_PROCESSED_INPUT, _LINE_INPUT, _ECHO_INPUT, _VIRTUAL_TERMINAL_INPUT = 0x1, 0x2, 0x4, 0x200
_PROCESSED_OUTPUT, _VIRTUAL_TERMINAL_PROCESSING, _NO_AUTO_RETURN = 0x1, 0x4, 0x8
_UTF_8 = 65001


@dataclass(frozen=True)
class ConsoleModes:
    """The flags of its input and output (SetConsoleMode), and their code pages."""

    input: int
    output: int
    code_page: int
    output_code_page: int

    @property
    def raw(self) -> ConsoleModes:
        """Those by which every key is the program's."""
        return replace(
            self,
            input=self.input & ~(_PROCESSED_INPUT | _LINE_INPUT | _ECHO_INPUT) | _VIRTUAL_TERMINAL_INPUT,
            output=self.output | _PROCESSED_OUTPUT | _VIRTUAL_TERMINAL_PROCESSING | _NO_AUTO_RETURN,
            code_page=_UTF_8,
            output_code_page=_UTF_8,
        )


def console_modes() -> ConsoleModes | None:
    """The modes of this process's console; None if it has none, or an old one."""
    kernel, found = _kernel(), []
    for number in (_INPUT, _OUTPUT):
        mode = ctypes.c_ulong()
        if not kernel.GetConsoleMode(kernel.GetStdHandle(number), ctypes.byref(mode)):
            return None
        found.append(mode.value)
    return ConsoleModes(found[0], found[1], kernel.GetConsoleCP(), kernel.GetConsoleOutputCP())


def set_console_modes(modes: ConsoleModes) -> bool:
    """Set the modes of this process's console; whether that could be done."""
    kernel = _kernel()
    kernel.SetConsoleCP(modes.code_page)
    kernel.SetConsoleOutputCP(modes.output_code_page)
    done = [
        bool(kernel.SetConsoleMode(kernel.GetStdHandle(number), mode))
        for number, mode in ((_INPUT, modes.input), (_OUTPUT, modes.output))
    ]
    return all(done)


def _kernel() -> Any:
    kernel = getattr(ctypes, "windll").kernel32  # noqa: B009 - other systems' ctypes has no such name
    kernel.GetStdHandle.restype = ctypes.c_void_p
    kernel.GetConsoleMode.argtypes = (ctypes.c_void_p, ctypes.c_void_p)
    kernel.SetConsoleMode.argtypes = (ctypes.c_void_p, ctypes.c_ulong)
    return kernel
