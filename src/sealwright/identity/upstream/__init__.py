"""Identity providers of others: people prove there who they are, and their groups there give them roles here."""
