"""The pages: server-rendered, over the same queries and commands as the API; they work without JavaScript."""

from .app import PREFIX, create_pages

__all__ = ["PREFIX", "create_pages"]
