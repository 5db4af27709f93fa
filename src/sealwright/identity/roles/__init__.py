"""Which roles there are, and who is granted them."""
