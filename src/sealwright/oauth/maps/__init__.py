"""What groups bring their members at one client, beside scopes that are asked for: supplementary scopes, and claims."""
