"""Scripts that make the shipped model: export, quantise, train, measure. Needs the `training` extra."""
