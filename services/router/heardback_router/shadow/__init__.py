"""What a candidate model made of feedback beside the model in force, and how much they disagree."""
