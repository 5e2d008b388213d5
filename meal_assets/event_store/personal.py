"""Texts of persons in the log: encrypted with a key a person, so that they are gone everywhere when the key is.

A text is padded and encrypted by AES-256-GCM under a nonce made of its stream and itself: said again there, it is the
same bytes, so a repeated append is known as one. It names the key that opens it, and is bound to person, event type and
field. Nothing else of it is kept in the database, not in read models either; what people see is opened on its way.
"""

import json
import os
from base64 import b64decode, b64encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import cached_property
from hashlib import sha256
from hmac import digest
from typing import TYPE_CHECKING, Any, TypeVar

import psycopg

from meal_assets.contracts import Event
from meal_assets.contracts.personal import PREFIX, SEALED, TOMBSTONE
from meal_assets.errors import BrokenEvent, Invalid

from .database import Connection, Database
from .records import Recorded
from .wrapping import KEY_BYTES, NONCE_BYTES

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

BLOCK = 32
"""Texts are padded to a multiple of so many bytes: their length would tell too much."""
MAX_CACHED = 1_000
"""Keys of persons kept in a process. What is kept is used only while the database says that it still stands."""
GONE = "ME006"
"""The SQLSTATE of an append whose key was removed after it had sealed a text."""
MOST_ATTEMPTS = 5
"""Of an append whose person is forgotten again and again."""

LOCK_KEYS = "LOCK log.person_keys IN SHARE ROW EXCLUSIVE MODE"
"""Before it is asked which key wraps them: nobody exchanges it until the transaction ends."""

_noted: ContextVar[set[str] | None] = ContextVar("noted", default=None)

Who = tuple[str, str]
"""Household and person."""
Done = TypeVar("Done")
Shown = TypeVar("Shown")


@dataclass(frozen=True)
class PersonKey:
    """The key to one person's texts; `id` is in each of them."""

    id: str
    household: str
    person: str
    secret: bytes

    def seal(self, event: type[Event], field: str, stream: str, said: str | tuple[str, ...]) -> str:
        text = json.dumps(said, ensure_ascii=False).encode()
        text += b" " * (-len(text) % BLOCK)
        head = f"{PREFIX}{self.id}:{event.type_name}.{field}"
        bound_to = self._bound_to(head)
        nonce = digest(self._nonces, b"\0".join([bound_to, stream.encode(), text]), sha256)[:NONCE_BYTES]
        sealed = nonce + self._cipher.encrypt(nonce, text, bound_to)
        return f"{head}:{urlsafe_b64encode(sealed).rstrip(b'=').decode()}"

    def open(self, sealed: str) -> Any:
        """The text or texts. Raises `BrokenEvent` for what this key did not seal."""
        from cryptography.exceptions import InvalidTag

        head, _, text = sealed.rpartition(":")
        try:
            data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
            opened = self._cipher.decrypt(data[:NONCE_BYTES], data[NONCE_BYTES:], self._bound_to(head))
        except (InvalidTag, ValueError):
            raise BrokenEvent(f"a text of {self.person} under {head} was changed: nothing opens it") from None
        return json.loads(opened)

    def _bound_to(self, head: str) -> bytes:
        return "\0".join([head, self.household, self.person]).encode()

    @cached_property
    def _nonces(self) -> bytes:
        return digest(self.secret, b"nonce", sha256)

    @cached_property
    def _cipher(self) -> "AESGCM":
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        return AESGCM(digest(self.secret, b"text", sha256))


@dataclass(frozen=True, slots=True)
class Sealed:
    """Events as the log keeps them, and the keys of their texts."""

    events: Sequence[Event]
    keys: Mapping[str, Who]


class Personal:
    """Seals what is appended and opens what is read, for one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._writing: dict[Who, PersonKey] = {}
        self._unwrapped: dict[bytes, PersonKey] = {}

    def seal(
        self, streams: Sequence[str], events: Sequence[Event], household: str, within: Connection | None = None
    ) -> Sealed:
        """The events, each for its stream. Raises `Invalid` for a text that looks like an encrypted one."""
        keys: dict[str, Who] = {}
        return Sealed([self._sealed(e, s, household, keys, within) for s, e in zip(streams, events, strict=True)], keys)

    def sealed_for(
        self,
        append: Callable[[Sequence[Event], Sequence[str]], Done],
        streams: Sequence[str],
        events: Sequence[Event],
        household: str,
        within: Connection | None = None,
        ahead: Sealed | None = None,
    ) -> Done:
        """What `append` makes of the events as the log keeps them, and of the keys that must stand when it does.

        Where a person was forgotten meanwhile, it is called again, with texts under a new key. In a transaction of the
        caller's nobody can be: it takes the append lock first. `ahead` is what they were sealed to before.
        Raises `Invalid` for a text that looks like an encrypted one.
        """
        if not any(e.personal for e in events):
            return append(events, ())
        if within is not None:
            within.execute("SELECT log.begin_append(NULL, NULL)")
        for attempt in range(1, MOST_ATTEMPTS + 1):
            sealed = ahead or self.seal(streams, events, household, within)
            try:
                return append(sealed.events, list(sealed.keys))
            except psycopg.DatabaseError as error:
                if error.sqlstate != GONE or attempt == MOST_ATTEMPTS:
                    raise
                for who in sealed.keys.values():
                    self._writing.pop(who, None)
                ahead = None
        raise AssertionError("the loop returns or raises")

    def opened(self, db: Connection, shown: Shown) -> Shown:
        """The same rows, events or values with texts as they were said, and tombstones where the key is gone.

        Raises `Unavailable` when the wrapping key is not there or another one, `BrokenEvent` for a changed text.
        """
        found = set[str]()

        def note(text: str, key: str) -> str:
            found.add(key)
            return text

        exchanged(shown, note)
        if not found:
            return shown
        keys = self._keys(db, found)

        def opens(text: str, key: str) -> Any:
            if key not in keys:
                return TOMBSTONE
            said = keys[key].open(text)
            if (noted := _noted.get()) is not None:
                noted.update([said] if isinstance(said, str) else said)
            return said

        result: Shown = exchanged(shown, opens)
        return result

    def forget(self, db: Connection, household: str, person: str) -> int:
        """Remove the person's key, for good; how many there were. No append of another process is under way then."""
        db.execute("SELECT log.begin_append(NULL, NULL)")
        self._writing.pop((household, person), None)
        return db.execute(
            "DELETE FROM log.person_keys WHERE household = %s AND person = %s", (household, person)
        ).rowcount

    def wrapped(self, db: Connection, ids: Iterable[str]) -> dict[str, str]:
        """Id of a key -> the key as a file may carry it: of no use to who has not the key that wraps it."""
        query = "SELECT id, wrapped FROM log.person_keys WHERE id = ANY(%s)"
        return {id_: f"{id_}:{b64encode(wrapped).decode()}" for id_, wrapped in db.execute(query, (sorted(ids),))}

    def bring(self, db: Connection, household: str, person: str, carried: str) -> None:
        """Take over a key that a file carried. Raises `Unavailable` when another key wraps it than ours."""
        id_, _, text = carried.partition(":")
        wrapped = b64decode(text)
        db.execute(LOCK_KEYS)
        self._database.unwrap(wrapped, owner_of(id_, (household, person)))
        wrapping = self._database.wrapping_key(make=False)
        db.execute(
            "INSERT INTO log.person_keys (household, person, id, wrapped, wrapped_by) VALUES (%s, %s, %s, %s, %s)"
            " ON CONFLICT (household, person) DO UPDATE SET id = excluded.id, wrapped = excluded.wrapped,"
            " wrapped_by = excluded.wrapped_by",
            (household, person, id_, wrapped, wrapping.name),
        )

    def _sealed(
        self, event: Event, stream: str, household: str, keys: dict[str, Who], within: Connection | None
    ) -> Event:
        """The event as the log keeps it; the key it needs is added to `keys`. A tombstone stays one."""
        said = {name: getattr(event, name) for name in event.personal}
        if all(not value or value in (TOMBSTONE, (TOMBSTONE,)) for value in said.values()):
            return event
        key = self._key_for((household, event.person), within)  # type: ignore[attr-defined]  # its contract sees to it
        keys[key.id] = key.household, key.person
        hidden: dict[str, str | tuple[str, ...]] = {}
        for name, value in said.items():
            texts = (value,) if isinstance(value, str) else value or ()
            if any(text.startswith(PREFIX) for text in texts):
                raise Invalid(name, f"begins with {PREFIX}, as encrypted texts do: write it otherwise")
            if texts and texts != (TOMBSTONE,):
                text = key.seal(type(event), name, stream, value)
                hidden[name] = text if isinstance(value, str) else (text,)
        return event.model_copy(update=hidden)

    def _key_for(self, who: Who, within: Connection | None) -> PersonKey:
        if within is not None:
            return self._find(within, who) or self._make(within, who)
        if who not in self._writing:
            with self._database.transaction() as db:
                key = self._find(db, who) or self._make(db, who)
            _keep(self._writing, who, key)
            return key
        return self._writing[who]

    def _find(self, db: Connection, who: Who) -> PersonKey | None:
        query = "SELECT id, household, person, wrapped FROM log.person_keys WHERE household = %s AND person = %s"
        row = db.execute(query, who).fetchone()
        return self._unwrap(*row) if row else None

    def _make(self, db: Connection, who: Who) -> PersonKey:
        """A new key, or the one that another process made meanwhile."""
        db.execute(LOCK_KEYS)
        wrapping = self._database.key_to_wrap_with(db)
        key = PersonKey(os.urandom(16).hex(), *who, os.urandom(KEY_BYTES))
        wrapped = wrapping.wrap(key.secret, owner_of(key.id, who))
        db.execute(
            "INSERT INTO log.person_keys (household, person, id, wrapped, wrapped_by) VALUES (%s, %s, %s, %s, %s)"
            " ON CONFLICT (household, person) DO NOTHING",
            (*who, key.id, wrapped, wrapping.name),
        )
        found = self._find(db, who)
        assert found is not None
        return found

    def _keys(self, db: Connection, ids: Iterable[str]) -> Mapping[str, PersonKey]:
        query = "SELECT id, household, person, wrapped FROM log.person_keys WHERE id = ANY(%s)"
        return {row[0]: self._unwrap(*row) for row in db.execute(query, (sorted(ids),)).fetchall()}

    def _unwrap(self, id_: str, household: str, person: str, wrapped: bytes) -> PersonKey:
        if (known := self._unwrapped.get(wrapped)) is None:
            secret = self._database.unwrap(wrapped, owner_of(id_, (household, person)))
            known = PersonKey(id_, household, person, secret)
            _keep(self._unwrapped, wrapped, known)
        return known


@contextmanager
def noting_texts() -> Iterator[set[str]]:
    """All texts of persons opened in this thread meanwhile: what must not be in anything that is kept of it."""
    texts = set[str]()
    token = _noted.set(texts)
    try:
        yield texts
    finally:
        _noted.reset(token)


def texts_of(event: Event) -> set[str]:
    """The texts of persons in an event as it was said."""
    values = [getattr(event, name) for name in event.personal]
    return {text for v in values for text in ((v,) if isinstance(v, str) else v or ())}


def masked(shown: Shown, mask: str) -> Shown:
    """The same with `mask` for each encrypted text: for where nothing may be kept of a person."""
    result: Shown = exchanged(shown, lambda _text, _key: mask)
    return result


def exchanged(shown: Any, each: Callable[[str, str], Any]) -> Any:
    """The same with what `each` makes of every encrypted text and the id of its key.

    One that stands for several, alone in its list, is exchanged for all of these.
    """
    match shown:
        case str():
            sealed = SEALED.fullmatch(shown) if shown.startswith(PREFIX) else None
            return each(shown, sealed["key"]) if sealed else shown
        case Recorded():
            return _recorded(shown, each) if shown.event.personal else shown
        case Event():
            return shown.model_copy(update={name: exchanged(getattr(shown, name), each) for name in shown.personal})
        case Mapping():
            return {name: exchanged(value, each) for name, value in shown.items()}
        case list() | tuple():
            parts = [exchanged(part, each) for part in shown]
            if len(parts) == 1 and isinstance(shown[0], str) and isinstance(parts[0], list):
                (parts,) = parts
            return type(shown)(parts)
        case _ if is_dataclass(shown) and not isinstance(shown, type):
            return replace(shown, **{f.name: exchanged(getattr(shown, f.name), each) for f in fields(shown)})
    return shown


def _recorded(recorded: Recorded, each: Callable[[str, str], Any]) -> Recorded:
    """Raises `BrokenEvent` where a text is that of another type of event."""
    event = recorded.event
    for name in event.personal:
        value = getattr(event, name)
        for text in (value,) if isinstance(value, str) else value or ():
            if (sealed := SEALED.fullmatch(text)) and sealed["type"] != event.type_name:
                raise BrokenEvent(
                    f"position {recorded.position} holds a text of {sealed['type']} in {event.type_name}.{name}:"
                    " something else than this program put it there"
                )
    return replace(recorded, event=exchanged(event, each))


def _keep(cache: dict[Any, PersonKey], name: Any, key: PersonKey) -> None:
    if len(cache) >= MAX_CACHED:
        cache.clear()
    cache[name] = key


def owner_of(id_: str, who: Who) -> bytes:
    """What a wrapped key is bound to."""
    return "\0".join([id_, *who]).encode()
