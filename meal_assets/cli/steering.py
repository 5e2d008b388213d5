"""`meals pause`, `resume`, `reset`: one read model or consumer by itself, while the others go on."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from meal_assets.event_store import EventStore
    from meal_assets.subscriptions import Standing, Subscriber

Name = Annotated[str, typer.Argument(help="Name of a read model or a consumer.")]
Reason = Annotated[str | None, typer.Option(help="Why: `meals status` shows it.")]


def add_to(app: typer.Typer) -> None:
    app.command()(pause)
    app.command()(resume)
    app.command()(reset)


def pause(name: Name, reason: Reason = None) -> None:
    """Let a read model or a consumer rest where it is until it is resumed, also over restarts.

    What it is at just now is ended first. This is its flag, set to off: `meals flags` shows it too.
    """
    from meal_assets.commands.flags import pause
    from meal_assets.subscriptions import flag_of

    from .session import console, session

    subscriber = subscriber_named(name)
    with session() as s:
        pause(s.store, flag_of(subscriber), s.origin(), reason)
        console.print(_told(s.store, subscriber), highlight=False, soft_wrap=True)


def resume(name: Name, reason: Reason = None) -> None:
    """Let it go on as before the pause, with all that happened meanwhile; a consumer in its shadow stays there."""
    from meal_assets.commands.flags import resume
    from meal_assets.subscriptions import flag_of

    from .session import console, session

    subscriber = subscriber_named(name)
    with session() as s:
        resume(s.store, flag_of(subscriber), s.origin(), reason)
        s.settle(f"Taking up what {name} missed")
        console.print(_told(s.store, subscriber), highlight=False, soft_wrap=True)


def reset(
    name: Name,
    to: Annotated[int, typer.Option(min=0, help="The position after which it goes on; 0: from the beginning.")],
    reason: Reason = None,
) -> None:
    """Move a consumer back, to handle events again, or forward, over events that it shall not handle.

    Back: what it said stays, and only what it has not said is said. Forward: `meals reset` back takes it back.
    A read model stands where its rows do: --to 0 is `meals rebuild`, and `meals as-of` shows it at any position.
    """
    from meal_assets.consumers import CONSUMERS
    from meal_assets.consumers.base import reset
    from meal_assets.errors import Invalid

    from .session import console, session
    from .subscribers import rebuild

    if subscriber_named(name).name not in CONSUMERS:
        if to:
            raise Invalid("--to", f"a read model is built anew from 0 only; `meals as-of {to} {name}` shows it there")
        rebuild(name)
        return
    with session() as s:
        done = reset(CONSUMERS[name](), s.store, to, s.origin(), reason)
        how = "are handled again" if done.after < done.before else "are left out"
        console.print(
            f"{name} goes on after {done.after:,}; it stood at {done.before:,}."
            f" {done.events:,} events that it listens to {how}.",
            highlight=False,
            soft_wrap=True,
        )
        s.settle(f"Letting {name} react")


def subscriber_named(name: str, field: str = "name") -> "Subscriber":
    """The read model or consumer. Raises `Invalid`, with the names there are."""
    from meal_assets.errors import Invalid
    from meal_assets.subscriptions import SUBSCRIBERS

    if name not in SUBSCRIBERS:
        raise Invalid(field, f"{name!r} is none of {', '.join(SUBSCRIBERS)}")
    return SUBSCRIBERS[name]


def paused_since(standing: "Standing") -> str:
    """When, by whom and why."""
    from rich.markup import escape

    switch = standing.switch
    since = f"{switch.since.astimezone():%Y-%m-%d %H:%M}" if switch.since else ""
    return f"[yellow]paused[/] since {since} by {escape(switch.actor or '')}" + (
        f": {escape(switch.reason)}" if switch.reason else ""
    )


def _told(store: "EventStore", subscriber: "Subscriber") -> str:
    from meal_assets.subscriptions import standings

    standing = next(s for s in standings(store) if s.subscriber is subscriber)
    state = paused_since(standing) if standing.paused else standing.switch.mode
    behind = f", {standing.lag:,} positions behind" if standing.behind else ", current"
    return f"{subscriber.name} is {state}{behind}."
