"""What must be true of a log after whatever happened, asked of the log itself and of what its writers were answered."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import psycopg

from meal_assets.consumers import consume
from meal_assets.event_store import EventStore
from meal_assets.event_store.checkpoints import drop_checkpoint
from meal_assets.read_models import READ_MODELS, ReadModel, catch_up, rebuild
from tests.read_models.conftest import Rows, rows_of

from .worker import Echo, Reconciling, Task, deed, say


@dataclass(frozen=True, slots=True)
class Proof:
    """Findings, one line each; all empty when nothing was lost, doubled or left to diverge."""

    events: int
    acknowledged: int
    lost: tuple[str, ...]
    doubled: tuple[str, ...]
    divergent: tuple[str, ...]

    @property
    def findings(self) -> tuple[str, ...]:
        return self.lost + self.doubled + self.divergent


def prove(store: EventStore, appenders: Iterable[Task]) -> Proof:
    """Repeat what was not answered, let everybody catch up, and look for what is missing, twice or different.

    Nobody may write to the log meanwhile.
    """
    lost: list[str] = []
    doubled: list[str] = []
    acknowledged = 0
    for task in appenders:
        entries = task.journal.entries()
        acknowledged += len(entries)
        answer = say(store, task, len(entries))
        _appended_once(store, task, [*entries, (len(entries), answer.first, answer.last)], lost, doubled)
    for consumer in (Echo(_unseen), Reconciling(_unseen)):
        done = consume(consumer, store)
        if done.failed or done.busy or done.set_aside:
            lost.append(f"{consumer.name} does not come to an end: {done}")
    _answered_once(store, lost, doubled)
    broken = store.first_broken_link()
    divergent = [] if broken is None else [f"the chain is broken at {broken}"]
    for model in READ_MODELS.values():
        try:
            divergent += differences(store, model())
        except psycopg.IntegrityError as error:
            divergent.append(f"{model.name} cannot be folded: {error}")
    return Proof(store.head(), acknowledged, tuple(lost), tuple(doubled), tuple(divergent))


def _unseen() -> None:
    """Nobody looks at a step of the proof."""


def _appended_once(
    store: EventStore, task: Task, entries: list[tuple[int, int, int]], lost: list[str], doubled: list[str]
) -> None:
    """Each append of the worker is in the log once, whole, where its answer said; and there is no other."""
    found: dict[int, list[int]] = defaultdict(list)
    with store.database.transaction() as db:
        query = "SELECT split_part(actor, ':', 2)::int, position FROM log.events WHERE actor LIKE %s ORDER BY position"
        for n, position in db.execute(query, (f"{task.name}:%",)):
            found[n].append(position)
    for n, first, last in entries:
        there, said = found.pop(n, []), len(deed(task.name, task.seed, n))
        if not set(range(first, last + 1)) <= set(there) or last - first + 1 != said:
            lost.append(f"{task.name}:{n} of {said} at {first}–{last} is at {there}")
        if len(there) > said:
            doubled.append(f"{task.name}:{n} of {said} is at {there}")
    doubled.extend(f"{task.name}:{n} is at {there}, and was never said" for n, there in found.items())


def _answered_once(store: EventStore, lost: list[str], doubled: list[str]) -> None:
    """The echo of each meal is there once, by its cause and by its words; nobody said anything else twice."""
    with store.database.transaction() as db:
        query = (
            "SELECT m.position, count(e.position) FROM log.events m LEFT JOIN log.events e"
            " ON e.causation_id = m.event_id AND e.actor = 'consumer/echo'"
            " WHERE m.type = 'diary.MealLogged' GROUP BY m.position HAVING count(e.position) <> 1"
        )
        for position, echoes in db.execute(query):
            (doubled if echoes else lost).append(f"the meal at {position} has {echoes} echoes")
        query = (
            "SELECT type, payload::text, array_agg(position) FROM log.events WHERE actor = 'consumer/echo'"
            " GROUP BY type, payload HAVING count(*) > 1 UNION ALL"
            " SELECT type, payload::text, array_agg(position) FROM log.events"
            " WHERE actor LIKE 'consumer/%' GROUP BY causation_id, type, payload HAVING count(*) > 1"
        )
        doubled.extend(f"{type_name} {payload} is at {there}" for type_name, payload, there in db.execute(query))


def differences(store: EventStore, model: ReadModel) -> list[str]:
    """How the model as it was folded, as an interrupted rebuild goes on, and as built from zero differ."""
    catch_up(model, store)
    folded = rows_of(store, model)
    rebuild(model, store)
    resumed = rows_of(store, model)
    with store.database.transaction() as db:
        drop_checkpoint(db, f"{model.name}@shadow")
    rebuild(model, store)
    anew = rows_of(store, model)
    return [
        f"{model.name} as {how} differs from zero: {_first_difference(rows, anew)}"
        for how, rows in (("folded", folded), ("an interrupted rebuild", resumed))
        if rows != anew
    ]


def _first_difference(rows: Rows, anew: Rows) -> str:
    for table, right in anew.items():
        if only := [row for row in rows[table] if row not in right] or [row for row in right if row not in rows[table]]:
            return f"{table} {only[0]}"
    return "a row is there twice"
