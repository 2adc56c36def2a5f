"""A settings file on the card's boot partition, applied whole at the next start of the box, its secrets removed."""
