"""Files that other programs wrote, row by row, as commands."""
