"""The one module a Celery worker loads: `celery -A deploy.celery_app worker`, in the project's folder."""

import definitions  # noqa: F401  # before the worker forks, so that every run starts warm
from meal_assets.platform.celery_runs import worker_app

app = worker_app()
