"""The console alone, on a made-up busy office: `python -m tests.webui.demo [PORT]`, for looking at it.

The password is `correct horse battery`; with `--new` the box is not set up yet and its code is 1234-5678.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from threading import Event

from appliance.system.certificates import ensure_certificate
from tests.webui.fake_control import FakeControl
from tests.webui.fake_outside import described
from tests.webui.fake_services import whole_office
from webui.server import ConsoleServer


def main() -> None:
    ports = [int(each) for each in sys.argv[1:] if each.isdigit()]
    control = FakeControl() if "--new" in sys.argv else whole_office(time_zone="Europe/Berlin")
    with tempfile.TemporaryDirectory() as folder:
        made = ensure_certificate(Path(folder) / "certs", "localhost", ("127.0.0.1",))
        address = ("127.0.0.1", ports[0] if ports else 8443)
        server = ConsoleServer(address, made.certificate, made.key, control, describe=described)
        server.start()
        sys.stdout.write("https://{}:{}/\n".format(*server.address))
        sys.stdout.flush()
        try:
            Event().wait()
        except KeyboardInterrupt:
            server.stop()


if __name__ == "__main__":
    main()
