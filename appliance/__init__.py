"""Branchbox: a SIP private branch exchange in one process."""

__version__ = "0.1.0"
