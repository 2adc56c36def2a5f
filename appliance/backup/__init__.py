"""Everything the box keeps in one file, and back: packed, sealed with a passphrase, proved, restored, and on a schedule."""
