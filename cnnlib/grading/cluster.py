"""Judges on a Dask cluster: the same jobs, the same answers, on other machines."""

from cnnlib.grading.judges import Judge
from cnnlib.notebooks import Course

_here: dict[tuple[str, str], Judge] = {}


class Cluster:
    """The workers of a scheduler. They need the course in the same place. Use it as a context manager.

    Parameters
    ----------
    address : str
        Such as ``"tcp://10.0.0.1:8786"``.
    course : Course
    how : str
        As `cnnlib.grading.box.level` says.
    """

    def __init__(self, address: str, course: Course, how: str):
        from distributed import Client

        self.client = Client(address, timeout="30s")
        self.root, self.how = str(course.root), how
        self.count = max(1, 2 * len(self.client.scheduler_info()["workers"]))

    def __enter__(self) -> "Cluster":
        return self

    def __exit__(self, *_) -> None:
        if self.client.status == "running":
            self.client.run(_stop)
            self.client.close()

    def close(self) -> None:
        """End what is waited for."""
        self.client.close()

    def ask(self, job: dict) -> dict:
        """Let a worker judge; where it is lost, another one does."""
        return self.client.submit(_judge, self.root, self.how, job, pure=False, retries=2).result()


def _judge(root: str, how: str, job: dict) -> dict:
    """Runs on a worker: ask the judge that it keeps."""
    from pathlib import Path

    judge = _here.setdefault((root, how), Judge(Course(Path(root)), how))
    with judge.turn:
        return judge.ask(job)


def _stop() -> None:
    for judge in _here.values():
        judge.stop()
    _here.clear()
