"""Who you are: users, sessions, tokens, passwords."""
