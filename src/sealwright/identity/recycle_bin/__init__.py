"""Deleted accounts and groups, which can be revived for some days."""
