"""Parts of the log that lie in files: brought back for a command, or told to who does not see them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from meal_assets.event_store import EventStore

Archived = Annotated[
    bool,
    typer.Option("--archived", help="Bring archived parts of the log back for it, and put them away again."),
]


@contextmanager
def archived_too(store: "EventStore", *, wanted: bool) -> Iterator[None]:
    """Have all of the log at hand meanwhile, if that is wanted."""
    if not wanted:
        yield
        return
    from meal_assets.interchange.archive import bring_all_back, put_all_away

    from .session import progress

    with progress() as bar:
        files = bring_all_back(store, progress=partial(_show, bar, bar.add_task("Looking", total=None)))
    try:
        yield
    finally:
        with progress() as bar:
            put_all_away(store, files, progress=partial(_show, bar, bar.add_task("Looking", total=None)))


def _show(bar: "Progress", task: "TaskID", doing: str, at: int, of: int) -> None:
    bar.update(task, description=doing, completed=at, total=of)


def tell_archived(files: Sequence[str]) -> None:
    """Say that what is shown may not be all."""
    from .session import console

    for file in files:
        told = f"Some may lie in {file}, and are not shown: `meals events restore {file}` brings them back."
        console.print(told, style="yellow", soft_wrap=True, markup=False, highlight=False)
