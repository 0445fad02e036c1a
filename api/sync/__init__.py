"""Read markers, unread counts, the rooms of a person, and the whole state at once."""
