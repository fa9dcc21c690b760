"""What is known about the customer behind an item, for the person who works on it."""
