"""From ingredient lines to what a serving holds."""
