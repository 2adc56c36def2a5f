"""What the box says of itself through its report port (image/overlay/usr/libexec/branchbox/report)."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Report"]


@dataclass(frozen=True, slots=True)
class Report:
    """Sections of text by their titles."""

    sections: dict[str, str]

    @classmethod
    def parse(cls, text: str) -> Report:
        """`## title` begins a section."""
        sections: dict[str, list[str]] = {}
        lines: list[str] = []
        for line in text.splitlines():
            if line.startswith("## "):
                lines = sections.setdefault(line.removeprefix("## "), [])
            else:
                lines.append(line)
        return cls({title: "\n".join(body).strip() for title, body in sections.items()})

    def __getitem__(self, title: str) -> str:
        return self.sections[title]

    @property
    def outside_ports(self) -> set[tuple[str, int]]:
        """(protocol, port) of every socket that waits for somebody from outside."""
        found = set()
        for line in self["listening"].splitlines()[1:]:
            protocol, _, _, _, local, *_ = line.split()
            host, _, port = local.rpartition(":")
            if not host.startswith(("127.", "[::1]")):
                found.add((protocol, int(port)))
        return found

    @property
    def memory_used_mib(self) -> int:
        """Of the whole box, without what can be given back."""
        return int(self["memory"].splitlines()[1].split()[2])

    @property
    def data_size(self) -> int:
        """Octets of the data partition's file system."""
        return int(self["disks"].splitlines()[-1].split()[1])
