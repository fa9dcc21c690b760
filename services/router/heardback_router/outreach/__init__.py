"""Messages to customers on their way: whether, when and by which channel each goes out, once."""
