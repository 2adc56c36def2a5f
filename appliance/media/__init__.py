"""Sound and picture: descriptions of them, and the relay that carries them."""
