"""image/leaks.sh finds what must not be in an image: each kind is planted in a tree that is well, and told by its place."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

TOP = Path(__file__).parents[2]


class Tree:
    """As small as a root can be."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "root"
        self.boot = folder / "boot"
        self.boot.mkdir()
        # Everything here is the test's own.
        self.tools = folder / "tools"
        self.tools.mkdir()
        self.put("../tools/sudo", b'#!/bin/sh\nexec "$@"\n').chmod(0o755)
        for name in ("var/log", "var/cache", "var/tmp", "tmp", "root", "run", "data"):
            (self.root / name).mkdir(parents=True)
        self.put("etc/shadow", b"root:*:20000::::::\nbranchbox:!*:20000::::::\n")
        self.put("etc/passwd", b"root:x:0:0::/root:/bin/sh\n")
        self.put("etc/gshadow", b"root:*::\nbranchbox:!::\n")
        self.put("etc/hostname", b"branchbox\n")
        self.put("etc/machine-id", b"")
        (self.root / "etc/resolv.conf").symlink_to("../run/systemd/resolve/stub-resolv.conf")

    def put(self, name: str, content: bytes) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def check(self) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PATH": f"{self.tools}:{os.environ['PATH']}"}
        command = [str(TOP / "image/leaks.sh"), str(self.root), str(self.boot)]
        return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    tree = Tree(tmp_path)
    done = tree.check()
    assert done.returncode == 0, done.stderr
    return tree


def made_key(kind: PrivateFormat = PrivateFormat.PKCS8) -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, kind, NoEncryption())


@pytest.mark.parametrize("kind", [PrivateFormat.PKCS8, PrivateFormat.OpenSSH])
@pytest.mark.parametrize("around", [b"", b"\x7fELF\0\0\xff"], ids=["text", "binary"])
def test_a_private_key_is_found_in_any_file(tree: Tree, kind: PrivateFormat, around: bytes) -> None:
    tree.put("usr/lib/thing", around + made_key(kind) + around)
    done = tree.check()
    assert done.returncode == 1
    assert "leak: private keys: /usr/lib/thing" in done.stderr


def test_a_key_with_headers_is_found(tree: Tree) -> None:
    first, rest = made_key().split(b"\n", 1)
    tree.put("etc/old.pem", first + b"\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n" + rest)
    assert "leak: private keys: /etc/old.pem" in tree.check().stderr


def test_a_key_on_the_boot_partition_is_found(tree: Tree) -> None:
    (tree.boot / "notes.txt").write_bytes(made_key())
    done = tree.check()
    assert done.returncode == 1
    assert "boot/notes.txt" in done.stderr


def test_a_library_that_knows_what_keys_look_like_is_none(tree: Tree) -> None:
    tree.put("usr/lib/libcrypto.so.3", b"\0-----BEGIN PRIVATE KEY-----\0-----BEGIN RSA PRIVATE KEY-----\n\0")
    assert tree.check().returncode == 0


@pytest.mark.parametrize(
    "name",
    [
        "etc/ssh/ssh_host_ed25519_key",
        "home/builder/.ssh/id_rsa",
        "usr/lib/branchbox/.git/config",
        "usr/share/x/.env",
        "etc/apt/auth.conf",
        "var/lib/systemd/random-seed",
        "var/lib/systemd/credential.secret",
        "var/lib/dhcp/eth0.leases",
        "usr/lib/branchbox/branchbox.db-wal",
        "etc/wpa_supplicant/wpa_supplicant.conf",
        "etc/ssl/private/box.key",
    ],
)
def test_what_only_secrets_are_called_is_found(tree: Tree, name: str) -> None:
    tree.put(name, b"anything")
    done = tree.check()
    assert done.returncode == 1
    assert f"leak: secrets by name: /{name.partition('/.')[0]}" in done.stderr


@pytest.mark.parametrize(
    "name", ["var/log/dpkg.log", "var/cache/ldconfig/aux-cache", "tmp/x", "data/clock", "root/x"]
)
def test_what_the_build_left_is_found(tree: Tree, name: str) -> None:
    tree.put(name, b"anything")
    assert f"leak: left over files: /{name}" in tree.check().stderr


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("shadow", b"root:$y$j9T$abc:20000::::::\n"),
        ("shadow", b"root::20000::::::\n"),
        ("shadow", b"root:!$6$salt$abc:20000::::::\n"),
        ("passwd", b"root::0:0::/root:/bin/sh\n"),
        ("gshadow", b"root:$6$salt$abc::\n"),
    ],
)
def test_an_account_with_a_password_or_with_none_is_found(tree: Tree, file: str, line: bytes) -> None:
    tree.put(f"etc/{file}", line)
    done = tree.check()
    assert done.returncode == 1
    assert "leak: accounts with a password: root" in done.stderr


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("etc/machine-id", b"0123456789abcdef0123456789abcdef\n"),
        ("var/lib/dbus/machine-id", b"0123456789abcdef0123456789abcdef\n"),
        ("etc/hostname", b"builder\n"),
        ("usr/lib/thing.pyc", b"\0" + str(TOP).encode() + b"/appliance/main.py\0"),
    ],
)
def test_traces_of_the_machine_that_built_it_are_found(tree: Tree, name: str, content: bytes) -> None:
    tree.put(name, content)
    assert f"leak: traces of this machine: /{name}" in tree.check().stderr


def test_what_cannot_be_looked_at_is_no_pass(tree: Tree) -> None:
    (tree.root / "etc/shadow").unlink()
    assert tree.check().returncode != 0
