"""Whom one person does not want to hear from."""
