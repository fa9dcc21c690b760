"""You said, we did: one change, told to everybody who raised it, with what the claim rests on."""
