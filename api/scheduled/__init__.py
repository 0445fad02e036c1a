"""What is to be said later."""
