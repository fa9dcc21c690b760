"""What people say the machine read wrongly: it wins, it stays, and it teaches."""
