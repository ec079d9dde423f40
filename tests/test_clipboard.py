"""The clipboard, with real scripts in place of its programs."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
import venv
from pathlib import Path

import pytest

from hermes_tunnel.clipboard import NoClipboard, copy

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        sys.platform != "linux", reason="starts scripts of sh, as Linux' clipboards are started"
    ),
]
CODE = "ABCD-EFGH"


@pytest.fixture
def desktop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A graphical session; its programs are those of a directory."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("sh", "cat", "sleep", "which"):
        (tools / name).symlink_to(shutil.which(name) or name)
    monkeypatch.setenv("PATH", str(tools))
    monkeypatch.setenv("DISPLAY", ":77")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    return tools


def program(path: Path, body: str) -> None:
    """A program that does what a script of sh says."""
    path.write_text(f"#!{path.parent}/sh\n{body}\n")
    path.chmod(0o700)


def test_the_code_is_given_to_the_clipboards_program(
    desktop: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Exactly the code, on its standard input; what it prints goes nowhere."""
    program(desktop / "xclip", f"echo NOISE; echo NOISE >&2; cat > {tmp_path}/copied")
    copy(CODE)
    assert (tmp_path / "copied").read_text() == CODE
    assert capfd.readouterr() == ("", "")


def test_a_program_that_stays_holds_nothing_of_ours(desktop: Path, tmp_path: Path) -> None:
    """It stays to give the code away, as xclip does; whoever reads our output still sees its end."""
    program(desktop / "xclip", f"cat > {tmp_path}/copied; sleep 20 & echo $! > {tmp_path}/stays")
    begun = time.monotonic()
    try:
        ours = "from hermes_tunnel.clipboard import copy; copy('ABCD-EFGH'); print('done')"
        done = subprocess.run([sys.executable, "-c", ours], capture_output=True, text=True, check=True)
        assert done.stdout == "done\n"
        assert time.monotonic() - begun < 15
    finally:
        subprocess.run(["/bin/kill", (tmp_path / "stays").read_text().strip()], check=True)


def test_without_a_program_it_says_what_to_install(desktop: Path) -> None:
    """As on a server, where there is no clipboard."""
    with pytest.raises(NoClipboard, match="no program for it; on Linux install wl-clipboard, xclip or xsel"):
        copy(CODE)


def test_without_the_library_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library is an extra, which not every installation has."""
    venv.create(tmp_path / "bare", symlinks=True)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bare" / "bin" / "python"))
    with pytest.raises(
        NoClipboard, match=r"pyperclip is not installed; .*pipx inject hermes-tunnel pyperclip"
    ):
        copy(CODE)
