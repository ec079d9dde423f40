"""The forward's listener, and the release of sshtunnel that it stands on."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import sshtunnel

from hermes_tunnel.errors import Failure
from hermes_tunnel.ssh.forward import check_names
from tests.cli.program import run

NAMES = (
    *("SSHTunnelForwarder", "_ForwardHandler", "_ThreadingForwardServer"),
    *("_connect_to_gateway", "_make_ssh_forward_handler_class", "_make_ssh_forward_server"),
    *("_serve_forever_wrapper", "_stop_transport", "_server_list", "_transport"),
)


def without(name: str) -> SimpleNamespace:
    """An sshtunnel whose next release calls something otherwise."""

    def start(self: object) -> None:
        """As the real one, it uses what instances have."""
        self._server_list  # type: ignore[attr-defined]  # noqa: B018

    def is_active(self: object) -> bool:
        return bool(self._transport)  # type: ignore[attr-defined]

    members = {each: None for each in NAMES[3:8] if each != name}
    members.update({} if name == "_server_list" else {"start": start})  # type: ignore[dict-item]
    members.update({} if name == "_transport" else {"is_active": property(is_active)})  # type: ignore[dict-item]
    module = dict.fromkeys(NAMES[:3], object) | {"SSHTunnelForwarder": type("Forwarder", (), members)}
    return SimpleNamespace(**{each: one for each, one in module.items() if each != name}, __version__="0.6.0")


def test_this_sshtunnel_has_every_name() -> None:
    """The one that is installed, and the stand-in that lacks none."""
    check_names(sshtunnel)
    check_names(without(""))


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_is_gone_is_said(name: str) -> None:
    """By name and release, with what to install."""
    with pytest.raises(Failure) as failure:
        check_names(without(name))
    assert failure.value.message == f"this sshtunnel (0.6.0) lacks {name}"
    assert failure.value.hint.endswith("sshtunnel>=0.5.1,<0.6")


def test_another_sshtunnel_is_an_error_in_words(tmp_path: Path) -> None:
    """Not a traceback, though the names are needed when the module is imported."""
    (tmp_path / "sshtunnel.py").write_text("__version__ = '9'\nclass SSHTunnelForwarder: pass\n")
    path = os.pathsep.join([str(tmp_path), *filter(None, sys.path)])
    done = run("demo", "--approve", env={"PYTHONPATH": path})
    assert done.returncode == 1
    assert done.stderr.startswith("hermes-tunnel: error: this sshtunnel (9) lacks _ForwardHandler, ")
    assert "Traceback" not in done.stderr
