"""What a customer reads: templates per step, sensitivity and language, filled with plain facts."""
