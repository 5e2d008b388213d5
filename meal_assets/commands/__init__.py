"""What people may ask for: each command reads its stream, lets the domain decide, and appends."""
