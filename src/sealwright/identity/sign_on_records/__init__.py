"""What is kept of sign-ins with identity providers of others, so that each can be explained."""
