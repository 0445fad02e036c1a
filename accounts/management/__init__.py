"""What operators do about accounts."""
