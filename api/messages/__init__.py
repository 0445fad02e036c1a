"""Messages: sending, editing, deleting, history."""
