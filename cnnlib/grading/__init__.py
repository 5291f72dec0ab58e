"""Grading: collect → assemble → run (nbval) → verdict → report; for a learner, `cnnlib check`.

`instructor` and `learner` are the two ways in. Nothing outside this package but `cnnlib.cli` imports it.
"""

import sys

# jsonschema, which nbformat imports, loads these to check web addresses and durations, of which a
# notebook has none: more than a second for each process that is started.
for unneeded in ("rfc3987_syntax", "isoduration"):
    sys.modules.setdefault(unneeded, None)
