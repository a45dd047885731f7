"""Makes `python -m vertebra` the same as the command `vertebra`."""

import os
import sys

# `python -m` looks for modules in the working folder first. In a folder of submissions that would be the students' own.
if sys.path[0] == os.getcwd() and not __file__.startswith(os.path.join(sys.path[0], "")):  # noqa: PTH109, PTH118
    del sys.path[0]

from vertebra.cli import main

sys.exit(main())
