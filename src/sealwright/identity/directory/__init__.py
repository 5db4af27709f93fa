"""People and groups: who there is, and who belongs to what."""
