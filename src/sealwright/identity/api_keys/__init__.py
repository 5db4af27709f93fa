"""API keys of people: each may do a part of what its owner may."""
