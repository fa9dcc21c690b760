"""Which team owns a feedback, and why: rules as data, one pure decision, one transaction per batch."""
