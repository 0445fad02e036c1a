"""The baseline: a chat consumer as the Channels tutorial writes it."""
