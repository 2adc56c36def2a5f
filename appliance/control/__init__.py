"""The one API of the exchange. Console, command line and serial console use it; nothing else reaches the inside."""
