"""The states of a login, drawn from the table in ``hermes_tunnel/oauth/session.py``."""

from __future__ import annotations

from collections.abc import Iterable

from hermes_tunnel.oauth import reactions
from hermes_tunnel.oauth.guards import otherwise
from hermes_tunnel.oauth.said import Success
from hermes_tunnel.oauth.session import LASTS, TABLE, Guard, Row, rows
from hermes_tunnel.oauth.states import Event, State

Arrow = tuple[str, str, str]
"""From, to, and on what."""


def drawn() -> str:
    """The diagram, what its states are, and what happens without an arrow."""
    return "\n\n".join("\n".join(lines) for lines in (diagram(), states(), stays())) + "\n"


def diagram() -> list[str]:
    """The states and the arrows between them, for Mermaid."""
    arrows = list(all_arrows())
    running = [state.name for state in State if Success in TABLE[state]]
    common = [
        arrow[1:]
        for arrow in arrows
        if arrow[0] == running[0] and all((name, *arrow[1:]) in arrows for name in running)
    ]
    arrows = [arrow for arrow in arrows if not (arrow[0] in running and arrow[1:] in common)]
    choices = [kind.__name__ for kind in choices_of_all()]
    inside = [arrow for arrow in arrows if {*arrow[:2]} <= {*running, *choices}]
    outside = [*(arrow for arrow in arrows if arrow not in inside), *(("RUNNING", *one) for one in common)]
    return [
        "```mermaid",
        "stateDiagram-v2",
        f"    [*] --> {State.CONNECTED.name}",
        "    state RUNNING {",
        *(f"        state {name} <<choice>>" for name in choices),
        *(f"        {line}" for line in joined(inside)),
        "    }",
        *(f"    {line}" for line in joined(outside)),
        "```",
    ]


def all_arrows() -> Iterable[Arrow]:
    """Each arrow of the table; where several states have the same choice, they lead to that."""
    choices = choices_of_all()
    for state in State:
        for kind in TABLE[state]:
            guarded, name = rows(state, kind), kind.__name__
            if guarded == choices.get(kind):
                yield state.name, name, name
            elif len({row.to for row in guarded.values()}) == 1:
                yield from leading(state.name, [*guarded.values()][:1], [name])
            else:
                on = [name if guard is otherwise else f"{name} [{guard.__name__}]" for guard in guarded]
                yield from leading(state.name, guarded.values(), on)
    for kind, guarded in choices.items():
        yield from leading(
            kind.__name__,
            guarded.values(),
            ["otherwise" if guard is otherwise else guard.__name__ for guard in guarded],
        )


def leading(source: str, found: Iterable[Row], on: Iterable[str]) -> Iterable[Arrow]:
    """The arrows of rows; none if the login stays in its state."""
    for row, name in zip(found, on, strict=True):
        if row.to:
            yield source, "[*]" if row.to is State.ENDED else row.to.name, name


def choices_of_all() -> dict[type[Event], dict[Guard, Row]]:
    """The events by which several states lead to the same three states or more, by the same guards."""
    found = {}
    for state in State:
        for kind in TABLE[state]:
            guarded = rows(state, kind)
            same = [other for other in State if rows(other, kind) == guarded]
            if len(same) > 1 and len({row.to for row in guarded.values() if row.to}) > 2:
                found[kind] = guarded
    return found


def joined(arrows: Iterable[Arrow]) -> list[str]:
    """A line for each pair of states, with everything that leads from one to the other."""
    ways: dict[tuple[str, str], list[str]] = {}
    for source, to, on in arrows:
        ways.setdefault((source, to), []).append(on)
    return [f"{source} --> {to}: {', '.join(on)}" for (source, to), on in ways.items()]


def states() -> list[str]:
    """What each state is, and how long it lasts."""
    return [
        "| state | where the login stands | for as long as |",
        "|---|---|---|",
        *(f"| `{state.name}` | {state.value} | {lasting(state)} |" for state in State),
    ]


def lasting(state: State) -> str:
    """How long a state may last."""
    if state is State.ENDED:
        return ""
    return f"{LASTS[state].seconds:.0f} s" if state in LASTS else "the person has"


def stays() -> list[str]:
    """What happens without an arrow: the login stays in its state, and its time keeps running."""
    found: dict[tuple[str, str], list[str]] = {}
    for state in State:
        for kind in TABLE[state]:
            for guard, row in rows(state, kind).items():
                if row.to is None:
                    on = kind.__name__ if guard is otherwise else f"{kind.__name__} [{guard.__name__}]"
                    found.setdefault((on, meaning(guard, row)), []).append(state.name)
    return [
        "| in | on | then |",
        "|---|---|---|",
        *(f"| {', '.join(names)} | {on} | {then} |" for (on, then), names in found.items()),
    ]


def meaning(guard: Guard, row: Row) -> str:
    """What a row that leads nowhere means, in its code's own words."""
    said = row.do if row.do is not reactions.nothing else row.keep
    text = (said.__doc__ or guard.__doc__ or "").partition("\n")[0].rstrip(".")
    return f"{text[:1].lower()}{text[1:]}"
