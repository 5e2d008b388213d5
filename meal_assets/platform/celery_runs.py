"""Runs on several machines: a Celery worker takes a run as a whole, and a run whose worker died is seen to be dead."""

import signal

import dagster as dg
from celery import Celery
from celery.signals import worker_process_init
from celery.states import PENDING
from dagster._core.code_pointer import ModuleCodePointer
from dagster._core.launcher import CheckRunHealthResult, WorkerStatus
from dagster_celery.launcher import CeleryRunLauncher
from dagster_celery.tags import DAGSTER_CELERY_TASK_ID_TAG
from dagster_celery.tasks import create_execute_job_task, create_resume_job_task

from .storage import Storage

ANSWER_SECONDS = 2.0
"""A worker's main process only waits for its children, so it answers at once or is not there."""


class WatchfulCeleryRunLauncher(CeleryRunLauncher):
    """dagster-celery's launcher, which believes that a task of a killed worker runs for ever, and kills to terminate.

    This one asks the worker, and interrupts the run, which then ends itself as canceled.
    """

    code_pointer = ModuleCodePointer("definitions", "defs")
    """Every worker has imported it; where on its machine it lies is the worker's own affair."""

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        task = run.tags.get(DAGSTER_CELERY_TASK_ID_TAG)
        if task is None:
            return CheckRunHealthResult(WorkerStatus.FAILED, "it never reached the broker")
        health: CheckRunHealthResult = super().check_run_worker_health(run)
        if health.status not in (WorkerStatus.RUNNING, WorkerStatus.UNKNOWN) or self._is_held(task):
            return health if health.status != WorkerStatus.UNKNOWN else CheckRunHealthResult(WorkerStatus.RUNNING)
        return CheckRunHealthResult(WorkerStatus.FAILED, "no Celery worker has it any more")

    def _is_held(self, task: str) -> bool:
        """Whether a worker that answers has the task; the one that said it began with it, or any if none said so."""
        began = self.celery.AsyncResult(task).info
        worker = [began["hostname"]] if isinstance(began, dict) and "hostname" in began else None
        asked = self.celery.control.inspect(destination=worker, timeout=ANSWER_SECONDS)
        answers = asked.query_task([task]) or {}
        return any(task in tasks for tasks in answers.values())

    def terminate(self, run_id: str) -> bool:
        run = self._instance.get_run_by_id(run_id)
        if run is None or run.is_finished:
            return False
        self._instance.report_run_canceling(run)
        if task := run.tags.get(DAGSTER_CELERY_TASK_ID_TAG):
            self.celery.control.revoke(task, terminate=True, signal="SIGINT")
        if task is None or self.celery.AsyncResult(task).state == PENDING:
            self._instance.report_run_canceled(run, "No worker had begun with it.")
        return True


def worker_app() -> Celery:
    """The app of a worker for the instance in DAGSTER_HOME: its broker, its settings, its tasks.

    Import the code location before: what is imported when the worker forks, no run has to import.
    """
    with dg.DagsterInstance.get() as instance:
        launcher = instance.run_launcher
        if not isinstance(launcher, CeleryRunLauncher):
            raise dg.DagsterInvariantViolationError(
                f"dagster.yaml launches runs with {type(launcher).__name__}, so no worker will ever get one:"
                " let DAGSTER_HOME name the folder of deploy/dagster.yaml"
            )
        app: Celery = launcher.celery
        Storage.is_there = True
    create_execute_job_task(app)
    create_resume_job_task(app)
    worker_process_init.connect(_let_interrupt, weak=False)
    return app


def _let_interrupt(**_: object) -> None:
    """Celery's children ignore SIGINT; it is how a run is told to end."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
