"""The policies that come with ingest, as data. Each names its version; a deployment may bring its own."""
