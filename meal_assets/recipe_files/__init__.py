"""Recipes out of what other programs write: web pages and export files, read without touching anything outside."""
