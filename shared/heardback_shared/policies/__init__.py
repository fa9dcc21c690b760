"""Policies as text: read strictly, refused whole. Whose policy it is, the services know."""
