"""Launching a run from inside an open sensor tick, as the daemon would after it."""

import sys
from collections.abc import Mapping

import dagster as dg
from dagster._core.code_pointer import CodePointer
from dagster._core.events import DagsterEvent, DagsterEventType
from dagster._core.launcher.base import LaunchRunContext
from dagster._core.origin import DEFAULT_DAGSTER_ENTRY_POINT, JobPythonOrigin, RepositoryPythonOrigin
from dagster._core.remote_origin import RemoteRepositoryOrigin
from dagster._core.storage.tags import RUN_KEY_TAG, SENSOR_NAME_TAG

JOB = "__ASSET_JOB"


class Launching:
    """Runs of single assets, from the tick of `context`."""

    def __init__(self, context: dg.SensorEvaluationContext) -> None:
        self._context = context
        self._code: CodePointer | None = getattr(context.instance.run_launcher, "code_pointer", None)
        self.possible = bool(context.repository_def and context.code_location_origin and self._code)
        """Whether the launcher knows by itself where a run finds our code.

        Dagster's own ask the code server or for its image, and what waits in a queue must come from the daemon.
        """

    def launch(self, asset: dg.AssetKey, run_key: str, tags: Mapping[str, str]) -> None:
        """Create the run and hand it to the launcher; one that fails to start is reported as failed."""
        context, instance = self._context, self._context.instance
        assert context.repository_def is not None
        assert context.code_location_origin is not None
        assert self._code is not None
        repository = context.repository_def
        remote = RemoteRepositoryOrigin(context.code_location_origin, repository.name)
        code = RepositoryPythonOrigin(
            executable_path=sys.executable,
            code_pointer=self._code,
            container_image=None,
            entry_point=DEFAULT_DAGSTER_ENTRY_POINT,
            container_context=None,
        )
        run = instance.create_run_for_job(
            repository.get_job(JOB).get_subset(asset_selection={asset}, asset_check_selection=set()),  # reported anyway
            tags={**tags, SENSOR_NAME_TAG: context.sensor_name, RUN_KEY_TAG: run_key},
            asset_selection={asset},
            remote_job_origin=remote.get_job_origin(JOB),
            job_code_origin=JobPythonOrigin(JOB, code),
        )
        try:
            starting = DagsterEvent(DagsterEventType.PIPELINE_STARTING.value, run.job_name)
            instance.report_dagster_event(starting, run.run_id)  # without it nobody ends a run that dies before it runs
            instance.run_launcher.launch_run(LaunchRunContext(dagster_run=run, workspace=None))
        except Exception as error:
            instance.report_run_failed(run, f"it could not be launched: {error}")
            context.log.warning(f"{run_key} could not be launched: {error}")
