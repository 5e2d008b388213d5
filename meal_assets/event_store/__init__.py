"""The log: one append-only table in PostgreSQL that everything else follows."""

from .database import Connection, Database
from .records import Appended, Origin, Recorded
from .store import EventStore

__all__ = ["Appended", "Connection", "Database", "EventStore", "Origin", "Recorded"]
