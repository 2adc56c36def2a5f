"""What an image consists of, as CycloneDX 1.5: Debian's packages, Python's, what came with neither."""
