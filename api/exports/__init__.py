"""What is recorded about oneself, to take away."""
