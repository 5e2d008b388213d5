"""Connecting a person's account at FatSecret, and letting go of it."""

from pydantic import TypeAdapter

from meal_assets.clients.fatsecret_answers import NAME, number
from meal_assets.clients.outside import Outside
from meal_assets.contracts.values import PersonId
from meal_assets.errors import Invalid
from meal_assets.event_store import EventStore
from meal_assets.event_store.connections import Connections

PERSON: TypeAdapter[str] = TypeAdapter(PersonId)


class Connecting:
    """The hand-shake for one person: send them to `page`, then `finish` with the code that they are shown there."""

    def __init__(self, store: EventStore, outside: Outside, household: str, person: str) -> None:
        """Raises `Unavailable` where no key to FatSecret is set."""
        self._person = PERSON.validate_python(person)
        self._store, self._outside = store, outside
        self._connections = Connections(store.database, household, NAME)
        self._handshake = outside.fatsecret_handshake(store.database)
        self.page = self._handshake.begin()

    def finish(self, code: str) -> str:
        """Keep the token; whose account it is, in words. Raises `RemoteRefused` for a wrong code: ask again."""
        token = self._handshake.finish(code.strip())
        self._connections.keep(self._person, (token.token, token.secret))
        with self._outside.fatsecret_diary((token.token, token.secret), self._store.database) as diary:
            return _account(diary.profile())


def disconnect(store: EventStore, household: str, person: str) -> None:
    """Remove the token. Raises `Invalid` for who is not connected."""
    if not Connections(store.database, household, NAME).remove(person):
        raise Invalid("person", f"{person} is not connected to {NAME}: `meals connect` shows who is")


def _account(profile: dict[str, str]) -> str:
    """FatSecret tells no name: by these the person knows whether they agreed with the right account."""
    told = {"last_weight_kg": "last weight {} kg", "goal_weight_kg": "goal {} kg", "height_cm": "height {} cm"}
    known = [words.format(f"{v:g}") for name, words in told.items() if (v := number(profile.get(name))) is not None]
    return ", ".join(known) or "nothing entered yet"
