"""How one gets into a room that is not open: by a link, by an invitation, by asking."""
