"""The platform over HTTP: commands in (202), queries out; a module in `routes` is one topic, and is found by itself."""

from .app import create_app

__all__ = ["create_app"]
