"""An event taken from a request: some of its fields stand in the path, the others in the body, nothing else may."""

from collections.abc import Callable, Coroutine, Mapping
from inspect import Parameter, Signature
from typing import Annotated, Any, TypeVar

from fastapi import Body, Path
from pydantic import BaseModel, ConfigDict, create_model

from meal_assets.contracts import Event

E = TypeVar("E", bound=Event)


def said(
    event: type[E], *path: str, given: Mapping[str, Callable[[], Any]] | None = None
) -> Callable[..., Coroutine[Any, Any, E]]:
    """A dependency that makes the event of `path` parameters and of a body with its other fields.

    `given` are fields that the server fills in. The event's own rules hold: `ValidationError` is told as a 422.
    """
    filled = given or {}
    body = body_of(event, *path, *filled)

    async def make(told: BaseModel | None = None, **named: Any) -> E:
        fields = told.model_dump(exclude_unset=True) if told is not None else {}
        return event.model_validate({**fields, **named, **{name: value() for name, value in filled.items()}})

    parameters = [
        Parameter(name, Parameter.KEYWORD_ONLY, annotation=Annotated[_plain(event, name), Path()]) for name in path
    ]
    if body.model_fields:
        parameters.append(Parameter("told", Parameter.KEYWORD_ONLY, annotation=Annotated[body, Body()]))
    make.__signature__ = Signature(parameters)  # type: ignore[attr-defined]  # which FastAPI reads
    return make


def body_of(event: type[Event], *without: str) -> type[BaseModel]:
    """A model with the event's other fields; nothing unknown in it."""
    fields: dict[str, Any] = {
        name: (_plain(event, name), info) for name, info in event.model_fields.items() if name not in without
    }
    made: type[BaseModel] = create_model(
        f"{event.__name__}Body", __config__=ConfigDict(extra="forbid", allow_inf_nan=False), **fields
    )
    made.__doc__ = event.__doc__
    return made


def _plain(event: type[Event], name: str) -> Any:
    info = event.model_fields[name]
    return Annotated[(info.annotation, *info.metadata)] if info.metadata else info.annotation
