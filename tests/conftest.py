"""What holds for every test: in CI none is skipped; one that starts a program is marked as slow.

And what every test can ask for: that it leaves nothing behind.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any, TypeVar

import psutil
import pytest

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)

_STARTED: list[str] = []
"""The programs that the running test has started."""


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    """Note a program that starts (sys.audit), except ``ssh -G``, which only reads its configuration."""
    if event == "subprocess.Popen":
        program, words = Path(os.fsdecode(arguments[0] or arguments[1])).name, list(arguments[1])
        if (program, words[1:2]) != ("ssh", ["-G"]):
            _STARTED.append(program)
    elif event in ("os.fork", "os.forkpty"):
        _STARTED.append(event)


sys.addaudithook(_hear)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what only root may do."""
    if item.get_closest_marker("root") and (sys.platform == "win32" or os.geteuid() != 0):
        pytest.skip("needs root")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test that asks for a server, an agent or a key starts a program."""
    for item in items:
        if {"agent", "key", "sshd"} & set(getattr(item, "fixturenames", ())):
            item.add_marker("slow")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """What starts between tests belongs to none of them."""
    _STARTED.clear()
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a test that starts a program without the mark ``slow``, and in CI one that was skipped."""
    report = _without_skips((yield))
    if report.when == "call" and report.passed and _STARTED and not item.get_closest_marker("slow"):
        report.outcome = "failed"
        report.longrepr = f"it starts {_STARTED[0]}: mark it with pytest.mark.slow"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """In CI, fail a module that was skipped."""
    return _without_skips((yield))


def _without_skips(report: Report) -> Report:
    if report.skipped and os.environ.get("CI"):
        report.outcome = "failed"
        report.longrepr = f"skipped, which nothing may be in CI: {report.longrepr}"
    return report


@pytest.fixture
def nothing_left() -> Iterator[None]:
    """The test leaves no thread, socket or child behind."""
    process = psutil.Process()
    threads, sockets = set(threading.enumerate()), set(process.net_connections())
    children = set(process.children(recursive=True))
    yield
    for thread in set(threading.enumerate()) - threads:
        thread.join(2)
    assert not [thread for thread in set(threading.enumerate()) - threads if thread.is_alive()]
    assert {one for one in process.net_connections() if one.fd != -1} <= sockets
    assert set(process.children(recursive=True)) <= children
