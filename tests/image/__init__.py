"""The SD-card image, booted in QEMU: set up over its serial line, called through, cut from power."""
