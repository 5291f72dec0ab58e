"""Kernels for notebooks, as forks of one process that has imported what all of them import.

A kernel takes more than a second to import IPython, Matplotlib and the course, and the course has
twenty notebooks. A fork is as fresh as any: a process of its own, with nothing defined in it. Only a
part of the course that a notebook uses and forgets to import would go unnoticed, so in continuous
integration each kernel is started as Jupyter starts it.
"""

import gc
import json
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

from jupyter_client.provisioning import local_provisioner

LAUNCHER = "ipykernel_launcher"

ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""What NumPy's matrix products read when they are loaded."""


class Fork:
    """What Jupyter asks of a kernel's process, for one that is no child of this process."""

    stdin = stdout = stderr = None

    def __init__(self, pid: int):
        self.pid, self.returncode = pid, None
        self.end = os.pidfd_open(pid)

    def wait(self, timeout: float | None = None) -> int | None:
        if self.returncode is None and select.select([self.end], [], [], timeout)[0]:
            os.close(self.end)
            self.returncode = 0  # who isn't the parent isn't told
        return self.returncode

    def poll(self) -> int | None:
        return self.wait(0)

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            signal.pidfd_send_signal(self.end, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class Forks:
    """Stands in for Jupyter's `launch_kernel`: starts the process that forks when the first kernel is wanted."""

    available = hasattr(os, "pidfd_open")
    """On Linux. Elsewhere there is no fork, or libraries don't survive one."""

    def __init__(self):
        self.plain = local_provisioner.launch_kernel
        self.parent: subprocess.Popen | None = None
        local_provisioner.launch_kernel = self

    def __call__(self, command: list[str], **options):
        if LAUNCHER not in command:
            return self.plain(command, **options)
        if self.parent is None:
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
            self.parent = subprocess.Popen(
                [sys.executable, __file__], env=os.environ | ONE_THREAD, process_group=0, **pipes
            )
        arguments = command[command.index(LAUNCHER) :]
        wanted = {
            "arguments": arguments,
            "cwd": str(options.get("cwd") or Path.cwd()),
            "env": options["env"],
        }
        self.parent.stdin.write(json.dumps(wanted) + "\n")
        self.parent.stdin.flush()
        return Fork(int(self.parent.stdout.readline()))

    def close(self) -> None:
        local_provisioner.launch_kernel = self.plain
        if self.parent is not None:
            self.parent.communicate()


def main() -> None:
    """Read lines that say which kernels are wanted, fork for each, and answer with the forks' numbers."""
    sys.path.remove(str(Path(__file__).parent))
    # What a kernel sets before anything is imported.
    os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"
    import ipykernel.kernelapp
    import matplotlib_inline.backend_inline  # noqa: F401

    import cnnlib.check
    import cnnlib.explorers
    import cnnlib.mine
    import cnnlib.plots  # noqa: F401

    # A lock that another thread holds would be held in the fork for ever.
    assert len(os.listdir("/proc/self/task")) == 1
    gc.freeze()
    forks = []
    for line in sys.stdin:
        forks.append(os.fork())
        if forks[-1] == 0:
            become(**json.loads(line))
            ipykernel.kernelapp.launch_new_instance()
            os._exit(0)
    for fork in forks:
        os.kill(
            fork, signal.SIGKILL
        )  # most have ended; if the tests were killed, nobody ended the last
        os.waitpid(fork, 0)  # its time counts as this process's


def become(arguments: list[str], cwd: str, env: dict[str, str]) -> None:
    """Be the process that was asked for, and say so."""
    os.setsid()  # Jupyter signals whole process groups
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env, JPY_PARENT_PID=str(os.getppid()))
    sys.argv = arguments
    os.write(1, f"{os.getpid()}\n".encode())
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(nowhere, stream)


if __name__ == "__main__":
    main()
