"""Retries without their pauses."""

from tests.remotes import no_pauses

__all__ = ["no_pauses"]
