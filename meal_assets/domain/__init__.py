"""Decisions: pure functions from what happened to what happens next, and the arithmetic of food."""
