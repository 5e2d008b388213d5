"""What several consumers read of the log: the recipes to cook with, the week that is cooked, what was said of it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, NamedTuple, Protocol, Self, TypeVar
from uuid import UUID

from meal_assets.clients.outside import Outside
from meal_assets.contracts import Event
from meal_assets.contracts.kitchen import IngredientsWeighed
from meal_assets.contracts.notification_request import Picture
from meal_assets.contracts.nutrition import RecipeNutritionComputed
from meal_assets.contracts.plan import PlanAccepted, PlanGenerated
from meal_assets.contracts.recipe import RecipeFetched, RecipeRemoved
from meal_assets.errors import Permanent
from meal_assets.event_store import EventStore, Recorded
from meal_assets.foods.known import foods_known

from .base import Act

if TYPE_CHECKING:
    from meal_assets.clients.tandoor import Tandoor

AnyEvent = TypeVar("AnyEvent", bound=Event)


class Standing(Protocol):
    """Where somebody looks from: a household at a position of the log, such as where an event stands."""

    @property
    def household(self) -> str: ...
    @property
    def position(self) -> int: ...


class At(NamedTuple):
    """A place to look from where no event stands."""

    household: str
    position: int


def recipes_at(recorded: Standing, log: EventStore) -> list[RecipeFetched]:
    """Each recipe of the household as last fetched before this event, by id, but those that were removed since."""
    latest = log.latest((RecipeFetched, RecipeRemoved), household=recorded.household, until=recorded.position)
    return [r.event for r in latest if isinstance(r.event, RecipeFetched)]


def computed_at(recorded: Standing, log: EventStore) -> dict[str, RecipeNutritionComputed]:
    """Recipe -> what its ingredients were last said to come to before this event."""
    latest = log.latest((RecipeNutritionComputed,), household=recorded.household, until=recorded.position)
    return {r.event.recipe: r.event for r in latest if isinstance(r.event, RecipeNutritionComputed)}


@dataclass(frozen=True, slots=True)
class Cooked:
    """An accepted week as it is planned now; `key` is its own, among all weeks of all logs."""

    plan: PlanGenerated
    key: UUID
    history: tuple[Recorded, ...]


def cooked_week(log: EventStore, household: str, week: date, accepted_by: int) -> Cooked | None:
    """The week as it stands at the head of the log; None unless it was accepted at a position or before."""
    history = log.read_stream(f"{household}/plan/{week}")
    plans = [r.event for r in history if isinstance(r.event, PlanGenerated)]
    if not plans or not any(isinstance(r.event, PlanAccepted) and r.position <= accepted_by for r in history):
        return None
    return Cooked(plans[-1], history[0].event_id, tuple(history))


def recipes_of(plan: PlanGenerated, household: str, log: EventStore, until: int | None = None) -> list[RecipeFetched]:
    """Those of a week as they were last fetched, up to a position when one is given, also where they are gone since."""
    found = (
        last_said(log, f"{household}/recipe/{recipe}", RecipeFetched, until)
        for recipe in sorted({m.recipe for m in plan.meals})
    )
    return [said[1] for said in found if said]


def weighed(log: EventStore, household: str, recipes: Iterable[RecipeFetched], until: int) -> list[IngredientsWeighed]:
    """What each recipe needs, with the foods that are known at a position."""
    known = foods_known(log, household, until)
    return [known.weigh(log, recipe, until) for recipe in recipes]


def last_said(
    log: EventStore, stream: str, kind: type[AnyEvent], until: int | None = None
) -> tuple[Recorded, AnyEvent] | None:
    """The newest event of the kind in the stream, at a position or before, in its envelope and by itself."""
    for recorded in reversed(log.read_stream(stream, until)):
        if isinstance(recorded.event, kind):
            return recorded, recorded.event
    return None


def said_because_of(recorded: Recorded, log: EventStore, kind: type[AnyEvent]) -> list[AnyEvent]:
    """What was said because of an event already, also by an attempt that died."""
    followed = log.read_correlation(recorded.correlation_id, recorded.position)
    return [r.event for r in followed if r.causation_id == recorded.event_id and isinstance(r.event, kind)]


def drawn(picture: Picture) -> str:
    """A picture of a message as SVG."""
    from meal_assets.charts import lines

    return lines(picture.title, picture.unit, {"eaten": picture.eaten}, beside={"target": {"eaten": picture.target}})


def is_on(log: EventStore, flag: str, household: str, person: str | None = None) -> bool:
    """Whether the flag is on for the household, or for one of its persons; off where nobody ever said so."""
    from meal_assets import flags  # it brings OpenFeature with it, which the definitions do without

    return flags.is_on(log.database, flag, household, person)


def tandoor_of(outside: Outside, log: EventStore, flag: str) -> "Tandoor":
    """The household's, for what the flag switches on; close it, or use `with`. Raises `Permanent` where none is set."""
    if not outside.knows_tandoor:
        raise Permanent(f"the flag {flag} is on, and no Tandoor is known: set MEALS_TANDOOR_URL, MEALS_TANDOOR_TOKEN")
    return outside.tandoor(log.database)


class Doing:
    """The acts of one handling. Use it in `with`; a shadow and a replay leave them undone."""

    def __init__(self) -> None:
        self._left, self._at_work = 0, True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._at_work = False

    @property
    def all_done(self) -> bool:
        return self._left == 0

    def act(self, do: Callable[[], object]) -> Act:
        """Raises `Permanent` when it is done by a replay, afterwards: nobody would note what came of it."""

        def act(_: str) -> None:
            if not self._at_work:
                raise Permanent("a replay does not publish, for nobody would know what it made: `meals accept` does")
            do()
            self._left -= 1

        self._left += 1
        return Act(act)
