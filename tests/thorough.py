"""How much is tried: everything in continuous integration, less where somebody waits for it."""

import os

THOROUGH = bool(os.environ.get("CI"))
ONE_IN = 1 if THOROUGH else 50
