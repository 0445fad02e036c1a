"""What a person has begun to write, on all their devices."""
