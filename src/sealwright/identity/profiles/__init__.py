"""What is kept about people beside names and mail addresses: attributes and SSH public keys."""
