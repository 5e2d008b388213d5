"""Event-sourced meal planning."""
