"""Handling again what was handled before, without saying it: what would this consumer say now?"""

from contextlib import suppress
from dataclasses import dataclass, field

from meal_assets.contracts import Event
from meal_assets.contracts.system import DeadLetterDiscarded, DeadLettered, DeadLetterHandled, DeadLetterRetried
from meal_assets.errors import OnceConflict, UnknownEvent
from meal_assets.event_store import EventStore

from .consumer import Consumer
from .differences import Difference, Spoken, differences, was_set_aside
from .heard import Heard, Unreadable, as_of, heard_at, next_heard, type_of
from .round import DEAD, WAITING, Task
from .traces import trace_of
from .voices import Aloud, actor_of, said_as


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a task came to: its answers by key, and the letter it would have become, if it would."""

    task: Task
    answers: dict[str, Event] = field(default_factory=dict)
    spoken: list[Spoken] = field(default_factory=list)


def replay(
    consumer: Consumer, store: EventStore, after: int = 0, until: int | None = None, *, say: bool = False
) -> list[Difference]:
    """Handle the events with `after` < position <= `until` again; where the log says otherwise, in order.

    Nothing is appended, and no checkpoint moves. With `say`, what the log does not have yet is appended: what it has
    stays, also where it differs, and events that were set aside are left to a retry.
    """
    until = store.head() if until is None else until
    found: list[Difference] = []
    while events := next_heard(consumer, store, after, until):
        replayed = [_handled(consumer, store, task) for heard in events for task in _tasks(consumer, store, heard)]
        spoken = [one for each in replayed for one in each.spoken]
        with store.database.transaction() as db:
            found += differences(db, consumer, spoken, after, events[-1].position)
        if say:
            for each in replayed:
                _say(consumer, store, each)
        after = events[-1].position
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
        for n, what in enumerate(consumer.handle(meant, store)):
            key = task.key(str(n) if what.key is None else what.key)
            done.answers[key] = what.event
            done.spoken.append(Spoken(position, key, what.event.type_name, said_as(what.event)))
    except UnknownEvent:
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


def _say(consumer: Consumer, store: EventStore, replayed: Replayed) -> None:
    task = replayed.task
    if was_set_aside(store, consumer, task.cause.position, task.key(DEAD)):
        return
    aloud = Aloud(consumer, store)
    for key, event in replayed.answers.items():
        with suppress(OnceConflict):  # it said something else then, and that stays
            aloud.say(task.cause, event, key)
