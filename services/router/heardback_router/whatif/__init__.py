"""What a policy would have changed, had it been in force these last days."""
