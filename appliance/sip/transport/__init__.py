"""What carries messages: UDP, TCP, TLS, and the flows over them. RFC 3261 §18."""
