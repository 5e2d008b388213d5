"""A consumer that is a program, in a run of Dagster: it speaks Dagster Pipes if it can, and need not."""

import sys
from pathlib import Path

import dagster as dg
import pytest

from meal_assets.consumers.base import Program
from meal_assets.contracts.shopping import ItemTicked, ItemUnticked
from meal_assets.event_store import EventStore
from meal_assets.platform.assets import consumer
from meal_assets.platform.keys import key_of
from meal_assets.platform.resources import Log
from tests.consumers.test_kit import tick, unticked
from tests.consumers.test_program import NeededAgain

SPEAKS = """
import json, sys
from dagster_pipes import open_dagster_pipes

event = json.load(sys.stdin)
with open_dagster_pipes() as pipes:
    pipes.log.info(f"heard {event['payload']['item']} in {pipes.run_id}")
print(json.dumps({"type": "shopping.ItemUnticked", "payload": event["payload"]}))
"""


def run(kind: type[Program], instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    return dg.materialize([consumer(kind)], resources={"log": Log()}, instance=instance)


def test_a_program_need_not_know_of_dagster(instance: dg.DagsterInstance, store: EventStore) -> None:
    tick(store, "salt", "milk")
    result = run(NeededAgain, instance)
    assert result.success
    assert unticked(store) == ["salt"]


@pytest.mark.slow
def test_what_a_program_logs_through_pipes_is_in_the_log_of_the_run(
    instance: dg.DagsterInstance, store: EventStore, tmp_path: Path
) -> None:
    (tmp_path / "speaks.py").write_text(SPEAKS)

    class Speaks(Program):
        """Logs through Dagster Pipes."""

        command = (sys.executable, str(tmp_path / "speaks.py"))
        listens_to = (ItemTicked,)
        says = (ItemUnticked,)
        pipes = True

    tick(store, "tea", "milk")
    result = run(Speaks, instance)
    assert result.success
    assert unticked(store) == ["tea", "milk"]
    logged = [r.user_message for r in instance.all_logs(result.run_id) if r.user_message]
    assert [line for line in logged if line.startswith("heard")] == [
        f"heard {item} in {result.run_id}" for item in ("tea", "milk")
    ]
    assert not [line for line in logged if "did not receive" in line]
    event = instance.get_latest_materialization_event(key_of(Speaks))
    assert event is not None
