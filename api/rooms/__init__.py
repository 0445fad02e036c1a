"""Rooms, members, roles, and all state that a send is checked against."""
