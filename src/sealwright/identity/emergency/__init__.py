"""Ways in while no one can sign in: the first administrator by a token or a group, and the break-glass password."""
