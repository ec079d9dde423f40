"""The source distribution and the wheel: what is in them, and what an index shows of them."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest
from packaging.metadata import Metadata

import hermes_tunnel

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
OLDEST, NEWEST = 10, 14
"""The minor versions of Python 3 that we support."""


def build(source: Path, into: Path) -> tuple[Path, Path]:
    """Build the source distribution and the wheel."""
    command = [sys.executable, "-m", "hatchling", "build", "--directory", str(into)]
    subprocess.run(command, check=True, cwd=source, capture_output=True)
    (sdist,), (wheel,) = into.glob("*.tar.gz"), into.glob("*.whl")
    return sdist, wheel


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """What the checkout becomes."""
    return build(ROOT, tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def sdist(built: tuple[Path, Path]) -> Path:
    """The source distribution."""
    return built[0]


@pytest.fixture(scope="module")
def wheel(built: tuple[Path, Path]) -> Iterator[zipfile.ZipFile]:
    """The wheel, open."""
    with zipfile.ZipFile(built[1]) as archive:
        yield archive


@pytest.fixture(scope="module")
def metadata(wheel: zipfile.ZipFile) -> Metadata:
    """What an index reads of the wheel, and has checked."""
    (name,) = (each for each in wheel.namelist() if each.endswith(".dist-info/METADATA"))
    return Metadata.from_email(wheel.read(name))


def files_of_the_checkout() -> set[str]:
    """The files that git does not ignore."""
    ignored = [".git", *(line.rstrip("/") for line in (ROOT / ".gitignore").read_text().splitlines())]
    found = set()
    for folder, folders, files in os.walk(ROOT):
        for names in (folders, files):
            names[:] = [name for name in names if not any(fnmatch(name, each) for each in ignored)]
        found |= {Path(folder, name).relative_to(ROOT).as_posix() for name in files}
    return found


def test_the_source_distribution_has_every_file(sdist: Path) -> None:
    """It has the scripts and what they read, the tests, recordings and pages; programs are executable."""
    with tarfile.open(sdist) as archive:
        members = {name.partition("/")[2]: archive.getmember(name) for name in archive.getnames()}
    assert {*members, "PKG-INFO"} == {*files_of_the_checkout(), "PKG-INFO"}
    programs = {name for name in members if name.startswith(("scripts/", ".ci/"))}
    assert len(programs) > 5
    assert {name for name in programs if not members[name].mode & 0o100} == set()


def test_the_wheel_has_the_program_and_no_more(wheel: zipfile.ZipFile) -> None:
    """It has the whole package, with its pages and scripts, its metadata and the manual; no test or tool."""
    names = set(wheel.namelist())
    package = {name for name in files_of_the_checkout() if name.startswith("hermes_tunnel/")}
    about = {"METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE"}
    about = {f"hermes_tunnel-{hermes_tunnel.__version__}.dist-info/{name}" for name in about}
    assert {Path(name).suffix for name in package} == {".py", ".sh", ".html", ".typed"}
    manual = {Path(name).name for name in files_of_the_checkout() if name.startswith("docs/man/")}
    about |= {f"hermes_tunnel-{hermes_tunnel.__version__}.data/data/share/man/man1/{name}" for name in manual}
    assert names == package | about


def test_a_build_can_be_repeated(
    built: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another person, another day, another folder, from the source distribution: the same bytes."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    with tarfile.open(built[0]) as archive:
        # Some releases of 3.10 and 3.11 have no filter, and 3.12 warns where there is none.
        archive.extraction_filter = getattr(tarfile, "data_filter", None)
        archive.extractall(tmp_path)
    (unpacked,) = tmp_path.iterdir()
    for path in (unpacked, *unpacked.rglob("*")):
        path.chmod(0o700 if path.is_dir() or path.stat().st_mode & 0o100 else 0o600)
        os.utime(path, (1_000_000_000, 1_000_000_000))
    again = build(unpacked, tmp_path / "dist")
    assert [digest(path) for path in again] == [digest(path) for path in built]


def digest(path: Path) -> str:
    """The SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_version_comes_from_one_place(metadata: Metadata) -> None:
    """It is the package's; no other file of ours that a build reads has it."""
    assert str(metadata.version) == hermes_tunnel.__version__
    for name in files_of_the_checkout():
        if name == "pyproject.toml" or name.startswith(("hermes_tunnel/", "scripts/", ".ci/")):
            quoted = f'"{hermes_tunnel.__version__}"' in (ROOT / name).read_text("utf-8")
            assert quoted == (name == "hermes_tunnel/__init__.py"), name


def test_an_index_shows_the_readme(metadata: Metadata) -> None:
    """As the Markdown that it is; the summary is its beginning in a line."""
    assert metadata.description_content_type == "text/markdown"
    assert metadata.description == (ROOT / "README.md").read_text("utf-8")
    assert metadata.summary
    assert metadata.license_expression == "MIT"


def test_an_index_shows_where_it_runs(metadata: Metadata) -> None:
    """On each Python that we support and no older one, and on three systems."""
    classifiers = metadata.classifiers or []
    named = re.findall(r"Python :: 3\.(\d+)$", "\n".join(classifiers), re.MULTILINE)
    assert [int(minor) for minor in named] == list(range(OLDEST, NEWEST + 1))
    assert str(metadata.requires_python) == f">=3.{OLDEST}"
    systems = {each.rpartition(" :: ")[2] for each in classifiers if each.startswith("Operating System")}
    assert systems == {"Linux", "MacOS", "Windows"}


def test_each_address_is_one_of_the_readme(metadata: Metadata) -> None:
    """None is made up: what the metadata links to, the README does too."""
    readme = (ROOT / "README.md").read_text("utf-8")
    assert metadata.project_urls
    assert [each for each in metadata.project_urls.values() if f"({each})" not in readme] == []
