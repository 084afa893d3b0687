"""Bad input of every kind, each piece with the answer that it must get."""
