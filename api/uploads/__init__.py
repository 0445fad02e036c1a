"""Files that people have sent: what they are, where they are kept, and who uses them."""
