"""The frozen executable's first module: the command `branchbox`, as `python -m appliance` is from a checkout."""

import sys

from appliance.main import main

sys.exit(main())
