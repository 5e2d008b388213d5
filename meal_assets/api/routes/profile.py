"""Who eats, what for, and what never."""

from typing import Annotated

from fastapi import APIRouter, Depends

from meal_assets.commands.forgetting import forget_person
from meal_assets.commands.profile import accept_goal, set_profile
from meal_assets.contracts.profile import GoalSet, PreferencesSet, ProfileSet
from meal_assets.contracts.values import PersonId

from ..desk import ACCEPTED, AdminDesk, Receipt, WriteDesk
from ..said import said

router = APIRouter(prefix="/persons/{person}", tags=["profile"])


@router.put("/profile", **ACCEPTED)
def profile(desk: WriteDesk, event: Annotated[ProfileSet, Depends(said(ProfileSet, "person"))]) -> Receipt:
    """Say who it is, the whole of it; daily targets follow."""
    return desk.accept(lambda store, origin: set_profile(store, event, origin))


@router.put("/goal", **ACCEPTED)
def goal(desk: WriteDesk, event: Annotated[GoalSet, Depends(said(GoalSet, "person"))]) -> Receipt:
    """Set daily targets by hand: they win over the formula."""
    return desk.accept(lambda store, origin: set_profile(store, event, origin))


@router.put("/goal/acceptance", **ACCEPTED)
def accept(desk: WriteDesk, person: PersonId) -> Receipt:
    """Take the goal that was suggested last (`/read-models/energy_balance/goal`)."""
    return desk.accept(lambda store, origin: accept_goal(store, person, origin))


@router.put("/preferences", **ACCEPTED)
def preferences(desk: WriteDesk, event: Annotated[PreferencesSet, Depends(said(PreferencesSet, "person"))]) -> Receipt:
    """Say what no dish for them may carry."""
    return desk.accept(lambda store, origin: set_profile(store, event, origin))


@router.delete("", **ACCEPTED)
def forget(desk: AdminDesk, person: PersonId) -> Receipt:
    """Forget the person for good: what they wrote becomes unreadable, their rows and tokens go."""
    return desk.accept(lambda store, origin: forget_person(store, person, origin))
