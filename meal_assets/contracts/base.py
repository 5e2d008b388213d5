"""What an event is: a frozen pydantic model with a topic, a stream, a version and upcasters.

A stored event is never rewritten. When its shape changes, raise `version` and add `from_vN`, a classmethod
that turns the payload of version N into that of version N+1.
"""

from typing import Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict

from .personal import personal_fields

Outcome = Literal["working", "done", "failed"]


class Value(BaseModel):
    """A part of an event: frozen, and nothing unknown in it."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Event(Value):
    """Subclass with `topic=` and `stream=`; give `examples`; the rest is derived.

    `stream` is a template over the event's own fields, below the household: "diary/{person}/{day}".
    `outcome` says what the event means for the command it belongs to: something else is to follow ("working"),
    it is through ("done") or it failed.
    `stays`: it is looked up however old it is, and stays in the database when its part of the log is archived; all
    events of a stream do, or none.
    """

    topic: ClassVar[str]
    stream: ClassVar[str]
    version: ClassVar[int] = 1
    outcome: ClassVar[Outcome] = "done"
    stays: ClassVar[bool] = False
    type_name: ClassVar[str]
    personal: ClassVar[tuple[str, ...]] = ()
    """Its fields that are marked `PERSONAL`."""
    examples: ClassVar[list[dict[str, Any]]]
    """At least one payload: it documents the type, pins its JSON and feeds every read model's tests."""

    def __init_subclass__(
        cls,
        *,
        topic: str,
        stream: str,
        version: int = 1,
        outcome: Outcome = "done",
        stays: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init_subclass__(**kwargs)
        cls.topic, cls.stream, cls.version, cls.outcome, cls.stays = topic, stream, version, outcome, stays
        cls.type_name = f"{topic}.{cls.__name__}"
        if missing := [n for n in range(1, version) if not hasattr(cls, f"from_v{n}")]:
            raise TypeError(f"{cls.__name__} is version {version} but has no from_v{missing[0]}")
        if not cls.__dict__.get("examples"):
            raise TypeError(f"{cls.__name__} has no examples")

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        cls.personal = personal_fields(cls)

    def stream_in(self, household: str) -> str:
        """The stream this event belongs to: "home/diary/ada/2026-11-23"."""
        return f"{household}/{self.stream.format_map(self.__dict__)}"

    @classmethod
    def from_stored(cls, version: int, payload: dict[str, Any]) -> Self:
        """A stored payload as today's event, upcast one version at a time."""
        for n in range(version, cls.version):
            payload = getattr(cls, f"from_v{n}")(dict(payload))
        return cls.model_validate(payload)
