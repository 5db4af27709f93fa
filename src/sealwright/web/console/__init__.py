"""The pages of administrators: lists, one object at a time, and what is done to it."""
