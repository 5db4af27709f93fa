"""Sign-out of applications: requested by one, announced to the others (OpenID Connect Logout)."""
