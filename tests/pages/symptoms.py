"""What people see and what to type, from ``hermes_tunnel/symptoms.py``."""

from __future__ import annotations

from hermes_tunnel.symptoms import SYMPTOMS, Speaker, Symptom
from tests.pages.markdown import code, escaped, link


def drawn() -> str:
    """Every symptom, by who says it."""
    return "\n\n".join(
        f"### {speaker.value}\n\n" + "\n\n".join(entry(each) for each in SYMPTOMS if each.speaker is speaker)
        for speaker in Speaker
    )


def entry(symptom: Symptom) -> str:
    """One of them."""
    first, *others = symptom.words
    also = [f"Also: {', '.join(map(code, others))}."] if others else []
    more = [f"More: {link(symptom.page)}."] if symptom.page else []
    command = f"```console\n$ {symptom.command}\n```"
    then = [" ".join([symptom.then, *more]).strip()] if symptom.then or more else []
    return "\n\n".join([f"#### {escaped(first)}", *also, symptom.cause, command, *then])
