"""What the checks do with a learner's code: functions of a class or function and some arrays.

Nothing here knows what is right. A case of a check names one of these functions and plain settings
for it (`Script`), so it runs beside the check, or in another process that holds neither a reference
nor an expected value. That is why these modules import NumPy and each other only.
"""

from cnnlib.scripts.outcome import Elsewhere, Frame, Outcome, attempt, kind, own_frame
from cnnlib.scripts.script import Script, script

__all__ = ["Elsewhere", "Frame", "Outcome", "Script", "attempt", "kind", "own_frame", "script"]
