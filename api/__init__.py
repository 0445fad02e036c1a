"""What is recorded, and its REST door."""
