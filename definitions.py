"""The one module Dagster loads."""

import warnings

import dagster as dg

from meal_assets.platform.assets import all_assets
from meal_assets.platform.checks import COMPARED, QUICK
from meal_assets.platform.diaries import diary_sync, refreshing
from meal_assets.platform.jobs import JOBS
from meal_assets.platform.resources import Log
from meal_assets.platform.schedules import all_schedules
from meal_assets.platform.sensor import follow_the_log
from meal_assets.settings import Settings

# What we use that Dagster calls beta is pinned by its version in pyproject.toml: nobody needs to read it in every log.
warnings.filterwarnings("ignore", category=dg.BetaWarning)
warnings.filterwarnings("ignore", "Function `PipesMessageReader")  # Dagster's own use of what it calls a preview

ZONE = Settings().zone.key
DIARIES = [diary_sync(ZONE)]

defs = dg.Definitions(
    assets=[*all_assets(ZONE), *DIARIES],
    asset_checks=[*QUICK, *COMPARED],
    jobs=JOBS,
    schedules=[*all_schedules(ZONE), refreshing(DIARIES, ZONE)],
    sensors=[follow_the_log],
    resources={"log": Log()},
    executor=dg.in_process_executor,
)
