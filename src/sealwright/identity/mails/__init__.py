"""Whether a mail address is its person's: by a link that was sent there, or because an administrator says so."""
