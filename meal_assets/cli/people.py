"""`meals profile`, `goals`, `weigh`, `energy`, `person forget`, `rotate-key`: who eats, what for, who is forgotten."""

from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from .session import Session

Person = Annotated[
    str | None, typer.Argument(help="Short id of a person, such as ada. Without it, everybody is shown.")
]
Day = Annotated[datetime | None, typer.Option("--day", formats=["%Y-%m-%d"], help="The day; today without it.")]


SHOWN_DAYS = 14


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


one = typer.Typer(no_args_is_help=True, help="What concerns one person as a whole: forget them.")


def add_to(app: typer.Typer) -> None:
    app.command()(profile)
    app.command()(goals)
    app.command()(weigh)
    app.command()(energy)
    app.add_typer(one, name="person")
    app.command("rotate-key")(rotate_key)


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
    never: Annotated[
        list[str] | None,
        typer.Option(help="A word no dish of theirs may carry, or all of nuts, dairy, gluten …; repeat it."),
    ] = None,
    diet: Annotated[
        list[str] | None,
        typer.Option(help="A diet they keep: vegetarian, vegan, gluten-free, lactose-free, low-fodmap …; repeat it."),
    ] = None,
) -> None:
    """Save a person's profile; their daily targets follow from it. Without a name: everybody's targets.

    What they never eat and the diets they keep may also be said alone: each replaces what it was, and '' clears it.
    Examples: meals profile ada --weight 64 --activity active --never peanut · meals profile ada --diet vegetarian
    """
    from meal_assets.commands.profile import set_preferences, set_profile
    from meal_assets.contracts.profile import ProfileSet
    from meal_assets.errors import Invalid

    from .session import session

    with session() as s:
        if person is not None:
            origin = s.origin()
            if weight is not None:
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
                set_profile(s.store, said, origin)
            elif never is None and diet is None:
                raise Invalid("--weight", f"is needed: `meals profile {person} --weight 70`")
            if never is not None or diet is not None:
                set_preferences(s.store, person, origin, exclude=_said(never), diets=_said(diet))
        s.settle("Saving" if person else "Looking")
        show_targets(s)


def goals(
    person: Person = None,
    kcal: Annotated[float | None, typer.Option(help="Energy a day, in kcal.")] = None,
    protein: Annotated[float | None, typer.Option(help="Protein a day, in g.")] = None,
    carbs: Annotated[float | None, typer.Option(help="Carbohydrates a day, in g.")] = None,
    fat: Annotated[float | None, typer.Option(help="Fat a day, in g.")] = None,
    fiber: Annotated[
        float | None, typer.Option("--fiber", "--fibre", help="Fibre a day at least, in g: weeks come near it.")
    ] = None,
    accept: Annotated[bool, typer.Option("--accept", help="Take the goal that `meals energy` suggests.")] = False,
) -> None:
    """Set a person's daily targets by hand: they win over the formula. Without a name: everybody's targets.

    Examples: meals goals ada --kcal 2000 --protein 130 --carbs 210 --fat 70 · meals goals ada --accept
    """
    from meal_assets.commands.profile import accept_goal, set_profile
    from meal_assets.contracts.profile import GoalSet
    from meal_assets.errors import Invalid

    from .session import session

    with session() as s:
        if accept:
            if person is None or (kcal, protein, carbs, fat, fiber) != (None,) * 5:
                raise Invalid("--accept", "needs a person and no figures: `meals goals ada --accept`")
            accept_goal(s.store, person, s.origin())
        elif person is not None:
            if kcal is None or protein is None or carbs is None or fat is None:
                raise Invalid("goals", "need all four of --kcal, --protein, --carbs and --fat")
            said = GoalSet(person=person, kcal=kcal, protein_g=protein, carbs_g=carbs, fat_g=fat, fiber_g=fiber)
            set_profile(s.store, said, s.origin())
        s.settle("Saving" if person else "Looking")
        show_targets(s)


def _said(texts: list[str] | None) -> list[str] | None:
    return None if texts is None else [text for text in texts if text.strip()]


def weigh(
    person: Annotated[str, typer.Argument(help="Short id of the person.")],
    weight: Annotated[float, typer.Argument(help="In kg.")],
    day: Day = None,
    fat: Annotated[float | None, typer.Option(help="Body fat in percent.")] = None,
) -> None:
    """Record a weigh-in; a later one for the same day replaces it."""
    from meal_assets.commands.body import record_weights
    from meal_assets.contracts.body import WeightRecorded
    from meal_assets.read_models.energy_balance import newest_balance
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
            balance = newest_balance(db, s.household, person)
        console.print(f"{person} on {on:%d %B}: {weight:g} kg" + (f", trend {trend:.1f} kg" if trend else ""))
        if balance:
            console.print(
                f"Spends {balance.kcal:,.0f} kcal a day, between {balance.low_kcal:,.0f} and {balance.high_kcal:,.0f}:"
                f" `meals energy {person}`"
            )


def energy(
    person: Person = None,
    day: Day = None,
) -> None:
    """Show what a person spends in a day, as weigh-ins and diary tell it, and a goal that would fit it better.

    Each figure comes with the interval that holds it 19 times of 20. It is an estimate, not medical advice.
    """
    from meal_assets.domain.energy_goal import CAVEAT, in_words
    from meal_assets.read_models import asking
    from meal_assets.read_models.energy_balance import EnergyBalance, balances, suggested_goals
    from meal_assets.read_models.targets import Targets, household_targets

    from .session import console, session, tell_position
    from .tables import energy_table

    with session() as s:
        s.settle("Estimating")
        last = s.day(day)
        with asking(s.store, EnergyBalance, Targets) as (db, position):
            days = balances(db, s.household, last - timedelta(days=SHOWN_DAYS - 1), last, person)
            targets = {t.person: t.target for t in household_targets(db, s.household)}
            goals = [g for g in suggested_goals(db, s.household, person) if targets.get(g.person) == g.before]
        if not days:
            console.print("No weigh-in in these days: `meals weigh ada 64.2`; `meals log ada --close` in the evening.")
            return
        console.print(energy_table(days))
        tell_position(position)
        for goal in goals:
            console.print(
                f"{goal.person}: a goal of {goal.goal[0]:,.0f} kcal a day would fit better than {goal.before[0]:,.0f}"
                f" (protein {goal.goal[1]:,.0f} g, carbs {goal.goal[2]:,.0f} g, fat {goal.goal[3]:,.0f} g)."
                f" To take it: `meals goals {goal.person} --accept`",
                *in_words(goal.bounds),
                soft_wrap=True,
                highlight=False,
            )
        console.print(CAVEAT, style="dim", soft_wrap=True)


@one.command()
def forget(
    person: Annotated[str, typer.Argument(help="Short id of the person.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Forget a person: what they wrote becomes unreadable for good, and all that is shown of them goes.

    Numbers stay in the log under their id, which says nothing any more. Backups hold what they held.
    """
    from meal_assets.commands.forgetting import forget_person, known_of

    from .session import console, session

    with session() as s:
        known = known_of(s.store, s.household, person)
        if not yes:
            console.print(
                f"Of {person} in {s.household} this removes for good: the key to their name, to the words they exclude"
                " and to what they ate, so that nobody can read these any more; and their rows in every table (targets,"
                " diary, weight, reconciled days). Amounts, weights and dates stay in the log under the id"
                f" {person}. Nothing can take it back.",
                soft_wrap=True,
                highlight=False,
            )
            typer.confirm(f"Forget {person}?", abort=True)
        forget_person(s.store, person, s.origin())
        s.settle("Forgetting")
        console.print(f"{person} is forgotten. Backups made before still hold what they held.")
        if known.plain_texts:
            console.print(
                f"[yellow]{known.plain_texts:,} texts stay readable in the log[/]: they were written before texts were"
                " encrypted, and the log cannot be changed.",
                soft_wrap=True,
            )


def rotate_key(
    to: Annotated[
        Path | None, typer.Option(help="With MEALS_KEY: the file for the new key, made where there is none.")
    ] = None,
) -> None:
    """Exchange the key to the texts of persons and to their connections for a new one; no text and no event changes.

    Interrupted, the same command goes on. Programs that run find a new file by themselves; with MEALS_KEY they are to
    be started anew with it.
    """
    from meal_assets.event_store.rewrapping import exchange_key

    from .session import console, session

    with session() as s:
        wrapped, former = exchange_key(s.store.database, s.settings, to)
    where = f"in {s.settings.home}" if to is None else f"in {to}: set MEALS_KEY to it, and start what runs anew"
    told = f"{wrapped:,} keys and connections are wrapped with a new key, {where}."
    if former is not None:
        told += f" The former one is {former}: keep it for backups and exports made before, or remove it."
    console.print(f"{told} Keep a copy of the new key apart from the database.", soft_wrap=True, markup=False)


def show_targets(s: "Session") -> None:
    """Print everybody's daily targets."""
    from meal_assets.read_models import asking
    from meal_assets.read_models.targets import Targets, household_targets

    from .session import console, tell_position
    from .tables import targets_table

    with asking(s.store, Targets) as (db, position):
        persons = s.store.personal.opened(db, household_targets(db, s.household))
    if not persons:
        console.print("Nobody yet: `meals profile ada --weight 64 --activity active`")
    else:
        console.print(targets_table(persons))
        tell_position(position)
