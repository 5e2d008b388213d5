"""Runs forked from a warm process: isolated, terminated and watched like others, and begun anew when the code is."""

import logging
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import psutil
import pytest
from dagster._core.code_pointer import FileCodePointer
from dagster._core.launcher.base import LaunchRunContext, WorkerStatus
from dagster._core.origin import DEFAULT_DAGSTER_ENTRY_POINT, JobPythonOrigin, RepositoryPythonOrigin
from dagster._core.storage.tags import MAX_RUNTIME_SECONDS_TAG
from dagster._daemon.monitoring.run_monitoring import monitor_started_run

from meal_assets.platform import fork_server, run_launcher
from meal_assets.platform.run_launcher import PID_TAG, ForkRunLauncher, process_of

PROJECT = Path(__file__).parents[2]
PATIENCE = 60.0
JOBS = """
import os, signal, time
import dagster as dg

@dg.op
def tell(context):
    context.log.info(f"pid {os.getpid()}")

@dg.op
def hang(context):
    context.log.info("hanging")
    time.sleep(600)

@dg.op
def hang_deaf(context):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    context.log.info("hanging")
    time.sleep(600)

@dg.job(executor_def=dg.in_process_executor)
def deaf():
    hang_deaf()

@dg.job(executor_def=dg.in_process_executor)
def telling():
    tell()

@dg.job(executor_def=dg.in_process_executor)
def hanging():
    hang()

defs = dg.Definitions(jobs=[telling, hanging, deaf])
"""


@pytest.fixture
def forking(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    """An instance as dagster.yaml describes it, and two jobs beside it."""
    monkeypatch.setenv("MEALS_DATABASE_URL", database_url)
    monkeypatch.setenv("MEALS_HOME", str(tmp_path / "meals"))
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    shutil.copy(PROJECT / "dagster.yaml", tmp_path)
    (tmp_path / "jobs.py").write_text(JOBS)
    with dg.DagsterInstance.get() as instance:
        yield instance
        end_server(instance)


def socket_path(instance: dg.DagsterInstance) -> Path:
    return fork_server.socket_path(Path(instance.root_directory))


def end_server(instance: dg.DagsterInstance) -> None:
    for process in servers(instance):
        process.kill()
        process.wait(PATIENCE)


def servers(instance: dg.DagsterInstance) -> list[psutil.Process]:
    path = str(socket_path(instance))
    return [
        p for p in psutil.process_iter(["cmdline"]) if path in (p.info["cmdline"] or []) and not is_run(instance, p)
    ]


def is_run(instance: dg.DagsterInstance, process: psutil.Process) -> bool:
    """A child has its parent's command line."""
    return str(process.pid) in {run.tags.get(PID_TAG) for run in instance.get_runs()}


@dg.job
def nothing() -> None:
    """Has no step."""


def launch(instance: dg.DagsterInstance, name: str, tags: dict[str, str] | None = None) -> str:
    code = RepositoryPythonOrigin(
        executable_path=sys.executable,
        code_pointer=FileCodePointer(f"{instance.root_directory}/jobs.py", "defs", instance.root_directory),
        container_image=None,
        entry_point=DEFAULT_DAGSTER_ENTRY_POINT,
        container_context=None,
    )
    origin = JobPythonOrigin(name, code)
    job = origin.repository_origin.code_pointer.load_target().resolve_job_def(name)
    run = instance.create_run_for_job(job, job_code_origin=origin, tags=tags, status=dg.DagsterRunStatus.STARTING)
    instance.run_launcher.launch_run(LaunchRunContext(run, None))
    return run.run_id


def until(true: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.02)


def run_of(instance: dg.DagsterInstance, run_id: str) -> dg.DagsterRun:
    run = instance.get_run_by_id(run_id)
    assert run is not None
    return run


def messages(instance: dg.DagsterInstance, run_id: str) -> str:
    return "\n".join(r.user_message or r.message for r in instance.all_logs(run_id))


@pytest.mark.slow
def test_runs_have_processes_of_their_own_from_one_server(forking: dg.DagsterInstance) -> None:
    assert isinstance(forking.run_launcher, ForkRunLauncher)
    runs = [launch(forking, "telling") for _ in range(3)]
    for run in runs:
        until(lambda run=run: run_of(forking, run).is_finished)
        assert run_of(forking, run).is_success
    pids = {run_of(forking, run).tags[PID_TAG] for run in runs}
    assert len(pids) == 3
    assert all(f"pid {run_of(forking, run).tags[PID_TAG]}" in messages(forking, run) for run in runs)
    (server,) = servers(forking)
    assert str(server.pid) not in pids


@pytest.mark.slow
def test_a_run_is_terminated_and_one_that_died_is_seen(forking: dg.DagsterInstance) -> None:
    stopped, killed = launch(forking, "hanging"), launch(forking, "hanging")
    for run in (stopped, killed):
        until(lambda run=run: "hanging" in messages(forking, run))
        health = forking.run_launcher.check_run_worker_health(run_of(forking, run))
        assert health.status == WorkerStatus.RUNNING
    assert forking.run_launcher.terminate(stopped)
    until(lambda: run_of(forking, stopped).status == dg.DagsterRunStatus.CANCELED)
    process = process_of(run_of(forking, killed))
    assert process is not None
    process.kill()
    until(lambda: process_of(run_of(forking, killed)) is None)
    health = forking.run_launcher.check_run_worker_health(run_of(forking, killed))
    assert health.status == WorkerStatus.FAILED
    assert not forking.run_launcher.terminate(stopped), "it is finished"


@pytest.mark.slow
def test_a_run_that_hears_no_signal_is_ended_by_its_bound(
    forking: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_launcher, "KILL_SECONDS", 0.1)
    run_id = launch(forking, "deaf", {MAX_RUNTIME_SECONDS_TAG: "0.1"})
    until(lambda: "hanging" in messages(forking, run_id))
    process = process_of(run_of(forking, run_id))
    assert process is not None

    def look() -> bool:
        record = forking.get_run_record_by_id(run_id)
        assert record is not None
        if record.dagster_run.status == dg.DagsterRunStatus.STARTED:
            monitor_started_run(forking, None, record, logging.getLogger())  # type: ignore[arg-type]  # resumes nothing
        return record.dagster_run.is_finished

    until(look)
    assert run_of(forking, run_id).status == dg.DagsterRunStatus.FAILURE
    assert "Exceeded maximum runtime" in messages(forking, run_id)
    until(lambda: process_of(run_of(forking, run_id)) is None)


def test_a_run_whose_process_is_not_known_is_not_called_failed(forking: dg.DagsterInstance) -> None:
    run = forking.create_run_for_job(nothing, status=dg.DagsterRunStatus.STARTED)
    assert forking.run_launcher.check_run_worker_health(run).status == WorkerStatus.RUNNING


@pytest.mark.slow
def test_a_server_that_was_killed_is_replaced_and_its_runs_go_on(forking: dg.DagsterInstance) -> None:
    going_on = launch(forking, "hanging")
    (server,) = servers(forking)
    server.kill()
    server.wait()
    second = launch(forking, "telling")
    until(lambda: run_of(forking, second).is_finished)
    assert run_of(forking, second).is_success
    process = process_of(run_of(forking, going_on))
    assert process is not None
    process.kill()


@pytest.mark.slow
def test_the_server_begins_anew_with_changed_code(forking: dg.DagsterInstance) -> None:
    launch(forking, "telling")
    (before,) = servers(forking)
    os.utime(PROJECT / "definitions.py")
    second = launch(forking, "telling")
    until(lambda: run_of(forking, second).is_finished)
    assert run_of(forking, second).is_success
    (after,) = servers(forking)
    assert after.pid == before.pid


@pytest.mark.slow
def test_the_server_ends_when_nobody_is_connected(forking: dg.DagsterInstance) -> None:
    launch(forking, "telling")
    (server,) = servers(forking)
    forking.run_launcher.dispose()
    assert server.wait(PATIENCE) is not None or not server.is_running()
    assert not socket_path(forking).exists()


@pytest.mark.slow
def test_a_server_that_cannot_start_leaves_the_run_to_a_fresh_process_and_says_why(
    forking: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("meal_assets.platform.run_launcher.MODULE", "no_such_module")
    done, ended = launch(forking, "telling"), launch(forking, "hanging")
    until(lambda: run_of(forking, done).is_finished)
    assert run_of(forking, done).status == dg.DagsterRunStatus.SUCCESS
    assert f"pid {run_of(forking, done).tags[PID_TAG]}" in messages(forking, done)
    assert "what it said is in" in messages(forking, done)
    assert "this run starts in a fresh process" in messages(forking, done)
    assert "No module named no_such_module" in Path(f"{socket_path(forking)}.log").read_text()
    until(lambda: "hanging" in messages(forking, ended))
    assert forking.run_launcher.terminate(ended)
    until(lambda: run_of(forking, ended).is_finished)
    assert run_of(forking, ended).status == dg.DagsterRunStatus.CANCELED


def test_another_process_of_the_same_number_is_not_the_runs() -> None:
    run = dg.DagsterRun("job", tags={PID_TAG: str(os.getpid()), "meals/pid_started": "1.0"})
    assert process_of(run) is None
