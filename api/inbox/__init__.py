"""Notifications to one person, through the stream that is theirs alone."""
