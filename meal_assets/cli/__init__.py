"""The command line: every command teaches itself with --help, and writes only through commands and events."""

from .app import main

__all__ = ["main"]
