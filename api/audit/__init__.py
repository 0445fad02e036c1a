"""Who did what to whom in a room, kept for those who answer for it."""
