"""History of elsewhere: chat exports become rooms, people and messages of the log."""
