"""`meals profile`, `goals`, `weigh`: who eats, and what for."""

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from .session import Session

Person = Annotated[
    str | None, typer.Argument(help="Short id of a person, such as ada. Without it, everybody is shown.")
]
Day = Annotated[datetime | None, typer.Option("--day", formats=["%Y-%m-%d"], help="The day; today without it.")]


class Activity(StrEnum):
    sedentary = "sedentary"
    moderate = "moderate"
    active = "active"


class Aim(StrEnum):
    lose = "lose"
    maintain = "maintain"
    gain = "gain"


class Sex(StrEnum):
    female = "female"
    male = "male"


def add_to(app: typer.Typer) -> None:
    app.command()(profile)
    app.command()(goals)
    app.command()(weigh)


def profile(
    person: Person = None,
    name: Annotated[str | None, typer.Option(help="Their name; the id without it.")] = None,
    weight: Annotated[float | None, typer.Option(help="Body weight in kg.")] = None,
    activity: Annotated[Activity, typer.Option(help="How much they move.")] = Activity.moderate,
    aim: Annotated[Aim, typer.Option(help="What for.")] = Aim.maintain,
    sex: Annotated[
        Sex | None, typer.Option(help="With height and birthday, targets come from Mifflin-St Jeor.")
    ] = None,
    height: Annotated[float | None, typer.Option(help="In cm.")] = None,
    born: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Birthday.")] = None,
    tolerance: Annotated[float, typer.Option(help="How far off a day may be, in percent.")] = 10,
    never: Annotated[list[str] | None, typer.Option(help="A word no dish of theirs may carry; repeat it.")] = None,
) -> None:
    """Save a person's profile; their daily targets follow from it. Without a name: everybody's targets.

    Example: meals profile ada --weight 64 --activity active --never peanut
    """
    from meal_assets.commands.profile import set_profile
    from meal_assets.contracts.profile import PreferencesSet, ProfileSet
    from meal_assets.errors import Invalid

    from .session import session

    with session() as s:
        if person is not None:
            if weight is None:
                raise Invalid("--weight", f"is needed: `meals profile {person} --weight 70`")
            said = ProfileSet(
                person=person,
                name=name or person.capitalize(),
                weight_kg=weight,
                activity=activity.value,
                aim=aim.value,
                sex=sex.value if sex else None,
                height_cm=height,
                born=born.date() if born else None,
                tolerance_pct=tolerance,
            )
            origin = s.origin()
            set_profile(s.store, said, origin)
            if never is not None:
                set_profile(s.store, PreferencesSet(person=person, exclude=tuple(never)), origin)
        s.settle("Saving" if person else "Looking")
        show_targets(s)


def goals(
    person: Person = None,
    kcal: Annotated[float | None, typer.Option(help="Energy a day, in kcal.")] = None,
    protein: Annotated[float | None, typer.Option(help="Protein a day, in g.")] = None,
    carbs: Annotated[float | None, typer.Option(help="Carbohydrates a day, in g.")] = None,
    fat: Annotated[float | None, typer.Option(help="Fat a day, in g.")] = None,
) -> None:
    """Set a person's daily targets by hand: they win over the formula. Without a name: everybody's targets.

    Example: meals goals ada --kcal 2000 --protein 130 --carbs 210 --fat 70
    """
    from meal_assets.commands.profile import set_profile
    from meal_assets.contracts.profile import GoalSet
    from meal_assets.errors import Invalid

    from .session import session

    with session() as s:
        if person is not None:
            if kcal is None or protein is None or carbs is None or fat is None:
                raise Invalid("goals", "need all four of --kcal, --protein, --carbs and --fat")
            said = GoalSet(person=person, kcal=kcal, protein_g=protein, carbs_g=carbs, fat_g=fat)
            set_profile(s.store, said, s.origin())
        s.settle("Saving" if person else "Looking")
        show_targets(s)


def weigh(
    person: Annotated[str, typer.Argument(help="Short id of the person.")],
    weight: Annotated[float, typer.Argument(help="In kg.")],
    day: Day = None,
    fat: Annotated[float | None, typer.Option(help="Body fat in percent.")] = None,
) -> None:
    """Record a weigh-in; a later one for the same day replaces it."""
    from meal_assets.commands.body import record_weights
    from meal_assets.contracts.body import WeightRecorded
    from meal_assets.read_models.weight_trend import newest_trend

    from .session import console, session

    with session() as s:
        on = s.day(day)
        record_weights(
            s.store, person, [WeightRecorded(person=person, day=on, weight_kg=weight, fat_pct=fat)], s.origin()
        )
        s.settle("Smoothing")
        with s.store.database.transaction() as db:
            trend = newest_trend(db, s.household, person)
        console.print(f"{person} on {on:%d %B}: {weight:g} kg" + (f", trend {trend:.1f} kg" if trend else ""))


def show_targets(s: "Session") -> None:
    """Print everybody's daily targets."""
    from meal_assets.read_models.targets import household_targets

    from .session import console
    from .tables import targets_table

    with s.store.database.transaction() as db:
        persons = household_targets(db, s.household)
    if not persons:
        console.print("Nobody yet: `meals profile ada --weight 64 --activity active`")
    else:
        console.print(targets_table(persons))
