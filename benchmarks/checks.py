"""How long a learner waits for a check: for a right answer, and for each mistake that it knows.

    python benchmarks/checks.py               all checks
    python benchmarks/checks.py conv pool     those whose names begin so

CPU milliseconds, and as a ratio to a loop of a million additions in plain Python, measured in the
same run: the ratio is what can be compared between machines.
"""

import contextlib
import io
import os
import sys
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from cnnlib import check, misconceptions
from cnnlib.check.engine import Comparison


def cpu_seconds(run, times: int = 3) -> float:
    """The least CPU time that `run` takes."""
    taken = []
    for _ in range(times):
        start = time.process_time()
        with contextlib.redirect_stdout(io.StringIO()):
            run()
        taken.append(time.process_time() - start)
    return min(taken)


def yardstick() -> None:
    total = 0
    for number in range(1_000_000):
        total += number


def main(prefixes: list[str]) -> None:
    unit = cpu_seconds(yardstick)
    print(f"a million additions: {1000 * unit:.0f} ms\n")
    print(f"{'check':28}{'right, ms':>10}{'ratio':>7}{'slowest wrong, ms':>19}{'ratio':>7}  which")
    for name in check.__all__:
        each = getattr(check, name)
        if not isinstance(each, Comparison) or not name.startswith(tuple(prefixes or [""])):
            continue
        right = cpu_seconds(lambda each=each: each.failure(each.reference))
        wrong = [
            (cpu_seconds(lambda: each.failure(broken), 1), broken.__name__)  # noqa: B023 - run at once
            for broken in misconceptions.seen_by(name)
        ]
        slowest, which = max(wrong, default=(0.0, "–"))
        print(
            f"{name:28}{1000 * right:10.1f}{right / unit:7.2f}"
            f"{1000 * slowest:19.1f}{slowest / unit:7.2f}  {which}"
        )


if __name__ == "__main__":
    main(sys.argv[1:])
