"""Does the newest Hermes on the package index do what was recorded? ``scripts/new-hermes`` runs this.

Every login that is recorded of each release is played with the newest, and compared with the recording of
the last release that has one. Exit status 1 if any has changed, 0 if none has.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.lab import hermes, record
from tests.lab.scenarios import RELEASES, of_every_release
from tests.oauth.behaviour import changes
from tests.oauth.replay import RECORDINGS, read


def newest() -> str:
    """The version that pip would install today."""
    ask = [
        "install",
        "--quiet",
        "--dry-run",
        "--ignore-installed",
        "--no-deps",
        "--report",
        "-",
        "hermes-agent",
    ]
    done = subprocess.run([sys.executable, "-m", "pip", *ask], check=True, stdout=subprocess.PIPE)
    version: str = json.loads(done.stdout)["install"][0]["metadata"]["version"]
    return version


def play(release: str, into: Path, names: list[str]) -> None:
    """Record the logins of a release, or only those with these names."""
    hermes.install([release])
    with tempfile.TemporaryDirectory() as releases:
        Path(releases, f"h{release}").symlink_to(hermes.RELEASES / release)
        where = ["--releases", releases, "--into", str(into), "--release", release]
        recorded = [f"{release}-{name}" for name in names]
        done = subprocess.run([sys.executable, "-m", "tests.lab.record", *where, *recorded], check=False)
        if done.returncode not in (0, record.STUCK):
            done.check_returncode()


def compare(release: str, recorded: Path, names: list[str]) -> dict[str, list[str]]:
    """What has changed since the last recorded release, by the name of the login."""
    found = {}
    for name in names:
        before, after = RECORDINGS / f"{RELEASES[-1]}-{name}.jsonl", recorded / f"{release}-{name}.jsonl"
        found[name] = changes(read(before), read(after)) if after.exists() else ["the command does not end"]
    return found


def main() -> None:
    """Play, compare, tell."""
    parser = argparse.ArgumentParser(prog="scripts/new-hermes", description=__doc__)
    parser.add_argument("--into", type=Path, help="keep the recordings in this directory")
    parser.add_argument("--release", help="this one instead of the newest")
    parser.add_argument("names", nargs="*", help="only these logins, such as xai-oauth-approved")
    options = parser.parse_args()
    release = options.release or newest()
    known = [scenario.name.removeprefix(f"{release}-") for scenario in of_every_release(release)]
    if unknown := set(options.names) - set(known):
        parser.error(f"not recorded of each release: {', '.join(sorted(unknown))}")
    names = options.names or known
    with tempfile.TemporaryDirectory() as directory:
        into = options.into or Path(directory)
        into.mkdir(parents=True, exist_ok=True)
        for name in names:
            (into / f"{release}-{name}.jsonl").unlink(missing_ok=True)
        play(release, into, names)
        found = compare(release, into, names)
    say(f"\nHermes {release}, compared with the recordings of {RELEASES[-1]}:")
    changed = {name: lines for name, lines in found.items() if lines}
    for name, lines in changed.items():
        say("\n  ".join([name, *lines]))
    say(f"{len(changed)} of {len(found)} recorded logins have changed.")
    sys.exit(1 if changed else 0)


def say(line: str) -> None:
    """Print a line at once, in order with what the recorder prints."""
    print(line, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
