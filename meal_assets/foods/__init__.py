"""What foods hold and weigh, and how ingredient lines are read: files that ship, files that are brought in, tables."""
