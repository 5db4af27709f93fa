"""People from another server: collected and checked in pieces, then created in one transaction."""
