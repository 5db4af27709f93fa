"""Sign-out of applications: requested by one, told to the others (OpenID Connect Logout)."""
