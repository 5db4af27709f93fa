"""What groups ask of the sign-ins of their members."""
