"""The processes that judge, as the side that asks sees them.

What takes their time is what they import, so one process imports it and forks for the others; and they
can be started, with `launch`, before it is known which course they are for.
"""

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:  # reading notebooks takes long to import, and `launch` is in a hurry
    from cnnlib.notebooks import Course

TRIES = 2  # a judge that dies is replaced, and the notebook judged again
LEAVE_SECONDS = 10
MODULE = "cnnlib.grading.judge"


class Stopped(Exception):
    """Somebody asked to stop."""


@dataclass
class Process:
    """A process of `cnnlib.grading.judge`: lines of JSON go in and come out.

    Attributes
    ----------
    head : Popen
        The process itself, or the one of which it is a fork.
    sink, source : file
        Where jobs go in, and where results come out.
    """

    head: subprocess.Popen
    sink: IO[str]
    source: IO[str]

    def ask(self, job: dict) -> dict | None:
        """What it answers; None where it is gone, or answers something that is no answer."""
        with contextlib.suppress(OSError, ValueError):
            self.sink.write(json.dumps(job) + "\n")
            self.sink.flush()
            line = self.source.readline()
            return json.loads(line) if line else None
        return None

    def leave(self) -> None:
        """Let it end: there will be no more jobs."""
        for stream in (self.sink, self.source):
            with contextlib.suppress(OSError):
                stream.close()

    def kill(self) -> None:
        """End it in the middle of a job, and with it the others that came of the same process."""
        with contextlib.suppress(OSError):
            if hasattr(os, "killpg"):
                os.killpg(self.head.pid, signal.SIGTERM)
            else:
                self.head.terminate()


def launch(count: int = 1) -> list[Process]:
    """Start processes; on Linux the first imports, and the others are forks of it.

    Elsewhere each imports for itself: Windows has no fork, and macOS's libraries don't survive one.
    """
    if sys.platform != "linux":
        return [_start([])[0] for _ in range(count)]
    return _start([(*os.pipe(), *os.pipe()) for _ in range(count - 1)])


@contextlib.contextmanager
def launched(count: int) -> Iterator[list[Process]]:
    """Start processes ahead of time, and let them end with the block, whether they were used or not."""
    processes = launch(count)
    try:
        yield processes
    finally:
        for process in processes:
            process.leave()


def _start(pipes: list[tuple[int, int, int, int]]) -> list[Process]:
    """Start a process that makes a fork for each four file descriptors: jobs out and in, results out and in."""
    theirs = [(jobs, results) for jobs, _, _, results in pipes]
    head = subprocess.Popen(
        [sys.executable, "-m", MODULE, *(f"{jobs},{results}" for jobs, results in theirs)],
        env=_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        encoding="utf-8",
        pass_fds=[number for pair in theirs for number in pair],
        start_new_session=True,  # so that Ctrl-C reaches us alone
    )
    for number in (number for pair in theirs for number in pair):
        os.close(number)
    forks = [
        Process(head, open(sink, "w", encoding="utf-8"), open(source, encoding="utf-8"))
        for _, sink, source, _ in pipes
    ]
    return [Process(head, head.stdin, head.stdout), *forks]


class Judge:
    """Judges for a course, in a process that is started when it is needed and replaced when it is gone.

    Parameters
    ----------
    course : Course
    how : str
        As `cnnlib.grading.box.level` says.
    """

    def __init__(self, course: "Course", how: str):
        self.duty = {"course": str(course.root), "how": how}
        self.process: Process | None = None
        self.turn = threading.Lock()
        self.closed = False

    def start(self, process: Process | None = None) -> Process:
        """The process that judges; a new one, or the one that is given, where there was none."""
        if self.process is None:
            self.process = process or launch()[0]
            with contextlib.suppress(OSError):
                self.process.sink.write(json.dumps(self.duty) + "\n")
        return self.process

    def ask(self, job: dict) -> dict:
        """Send a job, and wait for its answer."""
        for _ in range(TRIES):
            if self.closed:
                raise Stopped
            answer = self.start().ask(job)
            if answer is not None:
                return answer
            self.stop()
        if self.closed:
            raise Stopped
        raise RuntimeError("the process that judges ended")

    def stop(self) -> None:
        """Let the process end."""
        process, self.process = self.process, None
        if process is not None:
            process.leave()

    def close(self) -> None:
        """End for good, in the middle of a job too."""
        self.closed = True
        if self.process is not None:
            self.process.kill()


class Judges:
    """Some judges, for as many threads. Use it as a context manager.

    Parameters
    ----------
    course : Course
    how : str
        As `cnnlib.grading.box.level` says.
    count : int
    processes : list of Process, optional
        As `launch` started them.
    """

    def __init__(
        self, course: "Course", how: str, count: int, processes: list[Process] | None = None
    ):
        self.count = count
        self.processes = processes or launch(count)
        self.all = [Judge(course, how) for _ in range(count)]
        self.free: queue.Queue[Judge] = queue.Queue()
        for judge in self.all:
            self.free.put(judge)

    def __enter__(self) -> "Judges":
        for judge, process in zip(self.all, self.processes, strict=True):
            judge.start(process)
        return self

    def __exit__(self, *_) -> None:
        current = [judge.process for judge in self.all if judge.process is not None]
        heads = {id(process.head): process.head for process in [*self.processes, *current]}
        for judge in self.all:
            judge.stop()
        for head in heads.values():
            try:
                head.wait(LEAVE_SECONDS)
            except subprocess.TimeoutExpired:  # in the middle of a job that nobody waits for
                head.terminate()
                head.wait()

    def close(self) -> None:
        """End for good, in the middle of jobs too."""
        for judge in self.all:
            judge.close()

    def ask(self, job: dict) -> dict:
        judge = self.free.get()
        try:
            return judge.ask(job)
        finally:
            self.free.put(judge)


def _environment() -> dict[str, str]:
    """This process's, but for what could make a notebook run otherwise elsewhere."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTEST", "IPYTHON", "JUPYTER"))
        and name not in ("PYTHONSTARTUP", "MPLBACKEND")
    }
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return kept | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONHASHSEED": "0"} | threads
