"""What a feedback means for the relationship. Pure: texts, probabilities and policies in, values out."""
