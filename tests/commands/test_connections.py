"""Connecting a person's FatSecret account, and where the token to it is: encrypted in one table, and nowhere else."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from meal_assets.clients.fatsecret_answers import NAME, FatSecretRefused
from meal_assets.clients.outside import Outside
from meal_assets.commands.connections import Connecting, disconnect
from meal_assets.commands.forgetting import forget_person
from meal_assets.contracts.diary import MealLogged
from meal_assets.errors import Invalid, Unavailable
from meal_assets.event_store import Database, EventStore, Origin
from meal_assets.event_store.connections import Connections
from meal_assets.fakes.fatsecret import FakeFatSecret, verifier_of
from meal_assets.settings import Settings
from tests.remotes import fatsecret, outside

__all__ = ["fatsecret", "outside"]


@pytest.fixture
def connections(database: Database) -> Connections:
    return Connections(database, "home", NAME)


def connect(store: EventStore, outside: Outside, person: str) -> str:
    connecting = Connecting(store, outside, "home", person)
    return connecting.finish(f" {verifier_of(connecting.page.partition('oauth_token=')[2])}\n")


def test_a_person_is_connected_and_told_whose_account_it_is(
    store: EventStore, outside: Outside, connections: Connections, fatsecret: FakeFatSecret
) -> None:
    assert connect(store, outside, "ada") == "goal 60 kg, height 168 cm"
    assert [(c.person, c.refused) for c in connections.all()] == [("ada", None)]
    ((token, account),) = fatsecret.service.accounts.items()
    assert connections.secrets("ada") == [token, account.secret]


def test_a_wrong_code_connects_nobody_and_may_be_typed_again(
    store: EventStore, outside: Outside, connections: Connections
) -> None:
    connecting = Connecting(store, outside, "home", "ada")
    with pytest.raises(FatSecretRefused, match="the code was not accepted"):
        connecting.finish("123456")
    assert connections.all() == []
    connecting.finish(verifier_of(connecting.page.partition("oauth_token=")[2]))
    assert [c.person for c in connections.all()] == ["ada"]


def test_connecting_again_takes_the_new_token(
    store: EventStore, outside: Outside, connections: Connections, fatsecret: FakeFatSecret
) -> None:
    connect(store, outside, "ada")
    connections.refuse("ada", "revoked")
    connect(store, outside, "ada")
    assert connections.secrets("ada")[0] == list(fatsecret.service.accounts)[-1]
    assert connections.all()[0].refused is None


def test_who_is_let_go_of_is_not_connected(store: EventStore, outside: Outside, connections: Connections) -> None:
    connect(store, outside, "ada")
    connect(store, outside, "ben")
    disconnect(store, "home", "ada")
    assert [c.person for c in connections.all()] == ["ben"]
    with pytest.raises(Invalid, match="`meals connect`"):
        disconnect(store, "home", "ada")
    with pytest.raises(Unavailable, match="meals connect fatsecret ada"):
        connections.secrets("ada")


def test_forgetting_a_person_lets_go_of_their_account_also_of_who_said_nothing_else(
    store: EventStore, outside: Outside, connections: Connections, origin: Origin
) -> None:
    connect(store, outside, "ada")
    connect(store, outside, "ben")
    forget_person(store, "ada", origin)
    assert [c.person for c in connections.all()] == ["ben"]
    assert store.head() == 1


def test_nothing_of_a_token_can_be_read_in_the_database(
    store: EventStore, outside: Outside, connections: Connections
) -> None:
    connect(store, outside, "ada")
    with store.database.transaction() as db:
        tables = db.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'log' AND table_type = 'BASE TABLE'"
        ).fetchall()
        rows = [str(db.execute(f"SELECT t::text FROM log.{name} AS t").fetchall()) for (name,) in tables]
        (sealed,) = db.execute("SELECT sealed FROM log.connections").fetchone() or (b"",)
    for secret in (*connections.secrets("ada"), "demo-secret"):
        assert not any(secret in row for row in rows)
        assert secret.encode() not in bytes(sealed)
        assert secret not in repr(outside)
    assert any("ada" in row for row in rows)


def test_a_token_of_another_person_or_another_key_opens_nothing(
    store: EventStore, outside: Outside, connections: Connections, database_url: str, tmp_path: Path
) -> None:
    connect(store, outside, "ada")
    connect(store, outside, "ben")
    with Database(database_url, Settings(home=tmp_path, key="77" * 32)) as elsewhere:
        others = Connections(elsewhere, "home", NAME)
        with pytest.raises(Unavailable, match="MEALS_KEY"):
            others.secrets("ada")
        with pytest.raises(Unavailable, match="MEALS_KEY"):
            others.keep("eve", ("token", "secret"))
        eaten = MealLogged.model_validate(MealLogged.examples[0])
        with pytest.raises(Unavailable, match="MEALS_KEY"):
            EventStore(elsewhere).append(eaten.stream_in("home"), [eaten], origin=Origin("home", "test"))
    with store.database.transaction() as db:
        db.execute("UPDATE log.connections SET sealed = (SELECT sealed FROM log.connections WHERE person = 'ben')")
    assert connections.secrets("ben")
    with pytest.raises(Unavailable):
        connections.secrets("ada")


def test_without_a_key_to_fatsecret_or_a_name_nobody_is_connected(store: EventStore, outside: Outside) -> None:
    with pytest.raises(Unavailable, match="MEALS_FATSECRET_KEY"):
        Connecting(store, Outside(), "home", "ada")
    with pytest.raises(ValidationError):
        Connecting(store, outside, "home", "no name/")
