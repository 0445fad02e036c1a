"""``manage.py runserver``: Daphne, the server of development; nothing else loads Twisted."""

from daphne.management.commands.runserver import Command

__all__ = ["Command"]
