"""Who may be asked what: checked, reserved, followed and explained."""
