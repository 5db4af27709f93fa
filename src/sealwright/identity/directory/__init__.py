"""People, groups and memberships."""
