"""The shipped model, its manifest, and how a model is found and checked."""
