"""Which feedbacks are one problem."""
