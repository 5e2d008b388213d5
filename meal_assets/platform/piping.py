"""Dagster Pipes for consumers that are programs: what one logs through it is in the log of the run.

Dagster's own subprocess client hands a program our whole environment, no standard input and no bound. So the kit runs
the program, as it does without Dagster, and only the session around it is Dagster's.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial

import dagster as dg

from meal_assets.consumers import Consumer
from meal_assets.consumers.base import Program


def with_pipes(consumer: Consumer, context: dg.AssetExecutionContext) -> Consumer:
    """The consumer; a program that speaks Pipes then finds a session in its environment, one for each event."""
    if isinstance(consumer, Program) and consumer.pipes:
        consumer.around = partial(_session, context)
    return consumer


@contextmanager
def _session(context: dg.AssetExecutionContext) -> Iterator[Mapping[str, str]]:
    with dg.open_pipes_session(context, dg.PipesTempFileContextInjector(), dg.PipesTempFileMessageReader()) as session:
        yield session.get_bootstrap_env_vars()
