"""The command `branchbox`: builds every part and starts one task group, or hands over to another command."""

from __future__ import annotations

__all__ = ["main"]


def main() -> int:
    """Run the command line of this process; the exit status is returned."""
    raise SystemExit("not wired yet")
