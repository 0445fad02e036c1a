"""Who is here now, and the delivery of news to them."""
