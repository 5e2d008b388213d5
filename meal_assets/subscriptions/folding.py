"""Read models folded side by side: one that hangs, fails or has much to do costs the others nothing."""

from collections import Counter
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from threading import Event as Signal
from types import TracebackType
from typing import Self

from meal_assets.event_store import EventStore
from meal_assets.event_store.heartbeats import beat
from meal_assets.read_models import READ_MODELS, ReadModel, catch_up

from .standing import Subscriber, places

NEW = "SELECT type, max(position) FROM log.events WHERE position > %s GROUP BY type"


class Folder:
    """A thread for each read model that has something to do. Close it, or use `with`."""

    def __init__(self, store: EventStore) -> None:
        self._store = store
        self._threads = ThreadPoolExecutor(len(READ_MODELS), thread_name_prefix="fold")
        self._running: dict[str, Future[int]] = {}
        self._again: set[str] = set()
        self._closed = Signal()
        self._heard = 0
        self.events = Counter[str]()
        """What was folded here so far, by model; what another process folds is not ours."""

    @property
    def busy(self) -> bool:
        """Whether some model was still at it when the last call of `fold` returned."""
        return bool(self._running)

    def fold(self, patience: float | None = None) -> dict[str, Exception]:
        """Bring every read model that is behind to the head; name -> what kept it from getting there.

        After `patience` seconds one that is not there yet is left to go on by itself, and a later call tells what
        became of it.
        """
        with self._store.database.transaction() as db:
            models = [s for s in places(db) if issubclass(s.subscriber, ReadModel) and not s.paused]
        self._heard = max((s.head for s in models), default=0)
        self._start(s.subscriber for s in models if s.due)
        failures = self._wait(patience)
        stuck = {*failures, *self._running}
        with self._store.database.statement() as db:
            beat(db, [s.subscriber.name for s in models if s.subscriber.name not in stuck])
        return failures

    def fold_new(self, patience: float | None = None) -> tuple[set[str], dict[str, Exception]]:
        """The same for those who listen to what was appended since the last call, by one look at the log.

        Also the types of what was appended. Who is behind for another reason is found by `fold` alone.
        """
        with self._store.database.statement() as db:
            new = dict(db.execute(NEW, (self._heard,)).fetchall())
        self._heard = max((self._heard, *new.values()))
        self._start(m for m in READ_MODELS.values() if any(e.type_name in new for e in m.listens_to))
        return {*new}, self._wait(patience)

    def _start(self, models: Iterable[Subscriber]) -> None:
        for model in models:
            if not issubclass(model, ReadModel):
                continue
            if model.name in self._running:
                self._again.add(model.name)  # it may have looked before what is new now
            else:
                self._running[model.name] = self._threads.submit(self._catch_up, model)

    def _wait(self, patience: float | None) -> dict[str, Exception]:
        wait(self._running.values(), patience)
        return self._take_failures()

    def close(self) -> None:
        """Let each fold end with its batch. One that hangs is not waited for: its own bounds end it."""
        self._closed.set()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _catch_up(self, model: type[ReadModel]) -> int:
        """How many events that took in."""
        events = 0
        while True:
            self._again.discard(model.name)
            events += catch_up(model(), self._store, stop=self._closed.is_set).events
            if model.name not in self._again or self._closed.is_set():
                return events

    def _take_failures(self) -> dict[str, Exception]:
        ended = {name: future for name, future in self._running.items() if future.done()}
        failures = {}
        for name, future in ended.items():
            del self._running[name]
            error = future.exception()
            if error is None:
                self.events[name] += future.result()
            if isinstance(error, Exception):
                error.add_note(f"while folding {name}")
                failures[name] = error
        return failures


def fold_all(store: EventStore) -> list[Exception]:
    """Bring every read model that is behind to the head; what kept some from getting there stops no other."""
    with Folder(store) as folder:
        return list(folder.fold().values())
