"""The numbered log: the truth that every socket is repaired from."""
