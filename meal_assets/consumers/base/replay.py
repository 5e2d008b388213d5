"""Handling again what was handled before, without saying it: what would this consumer say now?"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from meal_assets.contracts import Event
from meal_assets.contracts.system import DeadLetterDiscarded, DeadLettered, DeadLetterHandled, DeadLetterRetried
from meal_assets.errors import ArchivedEvents, OnceConflict, UnknownEvent
from meal_assets.event_store import EventStore

from .consumer import Act, Consumer, Said, keyed
from .differences import MAX_DIFFERENCES, Difference, Spoken, differences, was_set_aside
from .heard import Heard, Unreadable, as_of, heard_at, next_heard, type_of
from .round import DEAD, WAITING, Task
from .traces import trace_of
from .voices import Aloud, actor_of, said_as


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a task came to: its answers by key in their order, and the letter it would have become, if it would."""

    task: Task
    answers: dict[str, Event | Act] = field(default_factory=dict)
    spoken: list[Spoken] = field(default_factory=list)


def replay(
    consumer: Consumer,
    store: EventStore,
    after: int = 0,
    until: int | None = None,
    *,
    say: bool = False,
    act: bool = False,
    limit: int = MAX_DIFFERENCES,
    progress: Callable[[int], None] | None = None,
) -> list[Difference]:
    """Handle the events with `after` < position <= `until` again; where the log says otherwise, the first ones.

    Nothing is appended, nothing is done outside, and no checkpoint moves. With `say`, what the log does not have yet is
    appended: what it has stays, also where it differs. With `act`, what is done outside is done again, with the same
    keys. Events that were set aside are left to a retry. `progress` is told the position reached.
    """
    until = store.head() if until is None else until
    found: list[Difference] = []
    while events := next_heard(consumer, store, after, until):
        replayed = [_handled(consumer, store, task) for heard in events for task in _tasks(consumer, store, heard)]
        spoken = [one for each in replayed for one in each.spoken]
        with store.database.transaction() as db:
            new = differences(db, store.personal, consumer, spoken, after, events[-1].position)
            found += new[: limit - len(found)]
        for each in replayed:
            _repeat(consumer, store, each, say=say, act=act)
        after = events[-1].position
        if progress:
            progress(after)
    return found


def _tasks(consumer: Consumer, store: EventStore, cause: Heard) -> list[Task]:
    """What was handled because of the event: itself, or what a decision about a dead letter led to."""
    event = None if isinstance(cause, Unreadable) else cause.event
    if not isinstance(event, DeadLetterRetried | DeadLetterDiscarded):
        return [] if was_set_aside(store, consumer, cause.position, WAITING) else [Task(cause, cause)]
    handled = [
        r.event.position
        for r in store.read_correlation(cause.correlation_id, cause.position)
        if (r.causation_id, r.actor) == (cause.event_id, actor_of(consumer.name))
        and isinstance(r.event, DeadLettered | DeadLetterHandled)
    ]
    return [Task(cause, heard_at(store, at), waited=at != event.position) for at in handled]


def _handled(consumer: Consumer, store: EventStore, task: Task) -> Replayed:
    done, meant, position = Replayed(task), task.meant, task.cause.position
    try:
        if isinstance(meant, Unreadable):
            raise meant.error
        if meant is not task.cause:
            meant = as_of(meant, task.cause)
        for n, what in keyed(consumer.handle(meant, store)):
            key = task.key(n)
            done.answers[key] = what if isinstance(what, Act) else what.event
            if isinstance(what, Said):
                done.spoken.append(Spoken(position, key, what.event.type_name, said_as(what.event)))
    except (UnknownEvent, ArchivedEvents):
        raise
    except Exception as error:  # all that it would have come to in the end
        trace = trace_of(error)
        letter = {
            "consumer": consumer.name,
            "position": task.meant.position,
            "event_type": type_of(task.meant),
            "event_stream": task.meant.stream,
            "error_class": trace.error_class,
            "message": trace.message,
        }
        done.spoken.append(Spoken(position, task.key(DEAD), DeadLettered.type_name, letter))
    return done


def _repeat(consumer: Consumer, store: EventStore, replayed: Replayed, *, say: bool, act: bool) -> None:
    task = replayed.task
    if not (say or act) or was_set_aside(store, consumer, task.cause.position, task.key(DEAD)):
        return
    aloud = Aloud(consumer, store)
    for key, answer in replayed.answers.items():
        if isinstance(answer, Act):
            if act:
                aloud.act(task.cause, answer, key)
        elif say:
            with suppress(OnceConflict):  # it said something else then, and that stays
                aloud.say(task.cause, answer, key)
