"""One file per behaviour. The cast: alice owns, bob belongs, carol is outside."""
