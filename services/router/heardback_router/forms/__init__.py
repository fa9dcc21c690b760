"""Resolution forms, response templates, and a look at what a customer is about to read."""
