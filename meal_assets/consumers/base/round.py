"""One call of `consume`: events handled, set aside or left waiting behind others of their stream, and what was decided
about those.

A dead letter and the checkpoint behind it are one transaction: a repeat would tell of it with another time.
"""

import time
from collections import Counter
from dataclasses import dataclass

from pydantic import ValidationError

from meal_assets.contracts import Event
from meal_assets.contracts.system import (
    DeadLetterDiscarded,
    DeadLettered,
    DeadLetterHandled,
    DeadLetterRetried,
    DeadLetterWaiting,
)
from meal_assets.errors import OnceConflict, Permanent, UnknownEvent, Waiting
from meal_assets.event_store import Connection, EventStore, Recorded
from meal_assets.event_store.heartbeats import note_stop
from meal_assets.event_store.personal import noting_texts, texts_of

from .attempts import MAX_ATTEMPTS, begin_work, end_work, forget_attempts, note_attempt, note_wait
from .consumer import Act, Consumer, keyed
from .differences import was_set_aside
from .heard import Heard, Unreadable, as_of, heard_at, type_of
from .letters import drop_letter, first_letter, held_streams, keep_letter, letter_at
from .traces import trace_of
from .voices import Voice

KEYS = DEAD, WAITING, HANDLED = "dead", "waiting", "handled"
"""Keys of what the kit says, beside the numbers and keys of what the consumer says."""
UNFINISHED = "the process that handled it crashed, or was ended, without a word"


@dataclass(frozen=True, slots=True)
class Task:
    """An event to handle because of `cause`: because of itself, or of a decision about a dead letter."""

    cause: Heard
    meant: Heard
    waited: bool = False

    def key(self, of: str) -> str:
        """Several events may be handled because of one decision: those that waited carry their position, too."""
        return f"{self.meant.position}.{of}" if self.waited else of


class Round:
    """The checkpoint moves when something was said, and at the end of each page.

    `too_old`: it stopped before an event that this program does not know. `careful`: the one before this ended without
    a word, so each attempt is counted before it is made: an event that kills its process must not do so for ever. One
    that says something new does not count: whoever is killed in the middle of much work gets to its end.
    """

    def __init__(self, consumer: Consumer, store: EventStore, voice: Voice) -> None:
        self.consumer, self.store, self.voice = consumer, store, voice
        self.position = self.moved = voice.position()
        self.handled = self.set_aside = 0
        self.too_old = self.careful = self.began_work = self.counted = False
        self.held = held_streams(store, voice.subscriber) if consumer.ordered_by_stream else set()
        self.repeats_until = voice.repeats_until()
        self.said = Counter[str]()
        self.began = time.perf_counter()

    def take(self, cause: Heard) -> str | None:
        """Handle one event and go past it; or the error that keeps us before it."""
        if not self.began_work:
            self.careful = begin_work(self.store, self.voice.subscriber, self.position)
            self.began_work = True
        event = None if isinstance(cause, Unreadable) else cause.event
        failed = None
        if self._repeats(cause) and was_set_aside(self.store, self.consumer, cause.position, *KEYS):
            pass  # a letter tells of it, or told of it and was handled: that stays
        elif isinstance(event, DeadLetterRetried | DeadLetterDiscarded):
            if event.consumer == self.consumer.name:
                failed = self._follow(cause, event)
        elif cause.stream in self.held:
            self._wait(cause)
        else:
            failed = self._work(Task(cause, cause))
        if failed is not None:
            self.move()
        elif self.position < cause.position:
            self.position = cause.position
            if self.said or self.careful:
                self.move()
        return failed

    def end(self) -> None:
        """Nothing more comes, and nobody was killed."""
        self.move()
        if self.began_work:
            end_work(self.store, self.voice.subscriber)

    def move(self) -> None:
        """Write down how far we are, and what that said."""
        if self.position != self.moved:
            with self.store.database.transaction() as db:
                self._move(db)

    def _work(self, task: Task) -> str | None:
        """Handle the event, or set it aside and go past its cause; or the error to try it again after."""
        with noting_texts() as texts:
            try:
                if self.careful and not isinstance(task.meant, Unreadable):
                    self._begin(task)
                self._answer(task)
            except Exception as error:  # a bug too is tried again, bounded, and never stops the others for ever
                if isinstance(task.meant, Recorded):
                    texts |= texts_of(task.meant.event)
                return self._failed(task, error, texts)
        self.handled += 1
        if task.meant is not task.cause:
            handled = DeadLetterHandled(consumer=self.consumer.name, position=task.meant.position)
            with self.store.database.transaction() as db:
                self._say(task, handled, HANDLED, db)
                drop_letter(db, self.voice.subscriber, task.meant.position)
                forget_attempts(db, self.voice.subscriber, task.cause.position)
        return None

    def _begin(self, task: Task) -> None:
        attempts, *_ = note_attempt(self.store, self.voice.subscriber, task.cause.position, UNFINISHED)
        self.counted = True
        if attempts > MAX_ATTEMPTS:
            raise Permanent(f"{UNFINISHED}, {MAX_ATTEMPTS} times")

    def _answer(self, task: Task) -> None:
        meant = task.meant
        if isinstance(meant, Unreadable):
            raise meant.error
        if meant is not task.cause:
            meant = as_of(meant, task.cause)
        for key, what in keyed(self.consumer.handle(meant, self.store)):
            if isinstance(what, Act):
                self.voice.act(task.cause, what, task.key(key))
            else:
                self._say(task, what.event, key)

    def _failed(self, task: Task, error: Exception, texts: set[str]) -> str | None:
        subscriber, trace = self.voice.subscriber, trace_of(error, texts)
        if isinstance(
            error, UnknownEvent
        ):  # a newer program can handle it, and perhaps one runs already: no dead letter
            self.too_old = True
            with self.store.database.statement() as db:
                note_stop(db, self.consumer.name, error)
            return trace.text
        if isinstance(error, Waiting):
            note_wait(self.store, subscriber, task.cause.position, trace.text, error.until)
            return trace.text
        counted = self.careful and not isinstance(task.meant, Unreadable)
        attempts, first, last = note_attempt(self.store, subscriber, task.cause.position, trace.text, counted=counted)
        if not isinstance(error, Permanent | ValidationError) and attempts < MAX_ATTEMPTS:
            return trace.text
        letter = DeadLettered(
            consumer=self.consumer.name,
            position=task.meant.position,
            event_type=type_of(task.meant),
            event_stream=task.meant.stream,
            error_class=trace.error_class,
            message=trace.message,
            traceback=trace.traceback,
            attempts=attempts,
            first_tried_at=first,
            last_tried_at=last,
        )
        self._put_aside(task, letter, DEAD)
        return None

    def _wait(self, cause: Heard) -> None:
        ahead = first_letter(self.store, self.voice.subscriber, cause.stream)
        assert ahead is not None
        letter = DeadLetterWaiting(
            consumer=self.consumer.name,
            position=cause.position,
            event_type=type_of(cause),
            event_stream=cause.stream,
            behind=ahead.position,
        )
        self._put_aside(Task(cause, cause), letter, WAITING)

    def _put_aside(self, task: Task, letter: DeadLettered | DeadLetterWaiting, key: str) -> None:
        self.position = task.cause.position
        with self.store.database.transaction() as db:
            self._say(task, letter, key, db)
            waiting = isinstance(letter, DeadLetterWaiting)
            keep_letter(db, self.voice.subscriber, letter.position, letter.event_stream, waiting=waiting)
            self._move(db)
        self.set_aside += 1
        if self.consumer.ordered_by_stream:
            self.held.add(letter.event_stream)

    def _follow(self, cause: Heard, decision: DeadLetterRetried | DeadLetterDiscarded) -> str | None:
        """Do what was decided about a letter, then handle in order those that waited behind it."""
        subscriber = self.voice.subscriber
        if decision.position >= cause.position:
            return None
        letter = letter_at(self.store, subscriber, decision.position)
        meant = heard_at(self.store, decision.position)
        task: Task | None = None
        if letter is not None and isinstance(decision, DeadLetterDiscarded):
            with self.store.database.transaction() as db:
                drop_letter(db, subscriber, decision.position)
        elif letter is not None and not letter.waiting:
            task = Task(cause, meant)
        while True:
            if task is not None and ((failed := self._work(task)) is not None or self.position == cause.position):
                return failed
            ahead = first_letter(self.store, subscriber, meant.stream)
            if ahead is None:
                self.held.discard(meant.stream)
            if ahead is None or not ahead.waiting:
                return None
            task = Task(cause, heard_at(self.store, ahead.position), waited=True)

    def _repeats(self, cause: Heard) -> bool:
        """Whether it comes for the second time, because the consumer was set back."""
        return cause.position <= self.repeats_until

    def _say(self, task: Task, event: Event, key: str, within: Connection | None = None) -> None:
        try:
            is_new = self.voice.say(task.cause, event, task.key(key), within)
        except OnceConflict:
            if within is not None or not self._repeats(task.cause):
                raise
            return  # it said something else the first time, and that stays
        self.said[event.type_name] += 1
        if is_new and self.counted and within is None:  # whoever gets on does not kill its process for ever
            self.counted = False
            with self.store.database.transaction() as db:
                forget_attempts(db, self.voice.subscriber, task.cause.position)

    def _move(self, db: Connection) -> None:
        self.voice.moved(db, self.moved, self.position, self.said, time.perf_counter() - self.began)
        forget_attempts(db, self.voice.subscriber, self.position)
        self.moved, self.began = self.position, time.perf_counter()
        self.said.clear()
