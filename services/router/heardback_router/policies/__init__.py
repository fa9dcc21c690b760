"""The policies that come with heardback, as data. Each names its version; a deployment may bring its own."""
