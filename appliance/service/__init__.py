"""The running exchange: its options, its parts, and the task group they live in."""
