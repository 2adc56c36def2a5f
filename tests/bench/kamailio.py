"""Kamailio from Debian as registrar and record-routing proxy: the peer that the bench measures beside ours."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
from pathlib import Path

__all__ = ["Kamailio"]

_TEMPLATE = Path(__file__).with_name("kamailio.cfg.template")
_SHARED_MEMORY_MB = 1024  # with 256 it runs out near 1,600 calls a second


class Kamailio:
    """A Kamailio with one UDP worker; `with` runs it."""

    name = "Kamailio"

    def __init__(self, host: str, port: int, folder: Path, users: dict[str, str], core: int) -> None:
        self.address = (host, port)
        self._folder = folder
        self._core = core
        self._process: subprocess.Popen[bytes] | None = None
        database = folder / "kamailio.sqlite"
        _write_database(database, users)
        modules = next(Path("/usr/lib").glob("*/kamailio/modules"))
        self._config = folder / "kamailio.cfg"
        self._config.write_text(
            _TEMPLATE.read_text().format(host=host, port=port, database=database, modules=f"{modules}/")
        )

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def __enter__(self) -> Kamailio:
        kamailio = shutil.which("kamailio", path=f"{os.environ['PATH']}:/usr/sbin")
        if kamailio is None:
            raise FileNotFoundError("kamailio")
        self._process = subprocess.Popen(
            [
                *("taskset", "-c", str(self._core), kamailio, "-DD", "-f", str(self._config)),
                *("-m", str(_SHARED_MEMORY_MB), "-M", "16", "-Y", str(self._folder)),
                *("-P", str(self._folder / "kamailio.pid")),
            ],
            stdout=subprocess.DEVNULL,
            stderr=(self._folder / "kamailio.log").open("wb"),
        )
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(timeout=20)


def _write_database(file: Path, users: dict[str, str]) -> None:
    file.unlink(missing_ok=True)
    with sqlite3.connect(file) as database:
        database.executescript(
            """
            create table version (table_name varchar(32) primary key, table_version integer not null default 0);
            insert into version values ('htable', 2);
            create table htable (id integer primary key autoincrement, key_name varchar(64) not null default '',
                key_type integer not null default 0, value_type integer not null default 0,
                key_value varchar(128) not null default '', expires integer not null default 0);
            """
        )
        database.executemany("insert into htable (key_name, key_value) values (?, ?)", users.items())
    database.close()
