"""How topics, read models and consumers are called in the asset graph."""

import dagster as dg

from meal_assets.consumers import Consumer
from meal_assets.contracts import Event
from meal_assets.contracts.body import WeightRecorded
from meal_assets.contracts.diary import DiaryDayObserved
from meal_assets.contracts.system import DeadLettered
from meal_assets.read_models import ReadModel
from meal_assets.subscriptions import Subscriber

GROUPS = {"topic": "topics", "read_model": "read_models", "consumer": "consumers", "sync": "syncs"}

FATSECRET_DIARY = dg.AssetKey(["sync", "fatsecret_diary"])
FATSECRET_SAYS: tuple[type[Event], ...] = (DiaryDayObserved, WeightRecorded)


def topic_key(topic: str) -> dg.AssetKey:
    return dg.AssetKey(["topic", topic])


def key_of(subscriber: Subscriber) -> dg.AssetKey:
    return dg.AssetKey(["read_model" if issubclass(subscriber, ReadModel) else "consumer", subscriber.name])


def topics_of(events: tuple[type[Event], ...]) -> list[str]:
    return sorted({e.topic for e in events})


def topics_said(consumer: type[Consumer]) -> list[str]:
    """Topics the consumer appends to; any consumer may say that it set an event aside."""
    return topics_of((*consumer.says, DeadLettered))


def syncs_into(topic: str) -> list[dg.AssetKey]:
    """What brings events of the topic in from outside, beside consumers."""
    return [FATSECRET_DIARY] if topic in topics_of(FATSECRET_SAYS) else []
