"""`python -m appliance` is the command `branchbox`."""

import sys

from appliance.main import main

if __name__ == "__main__":
    sys.exit(main())
