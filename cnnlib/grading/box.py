"""Where learners' code runs: one warm process, confined, that forks for each conversation.

The process sees the interpreter, NumPy and `cnnlib.scripts`, and nothing else: no file of the course's,
no other submission, no environment, no network. This side sends source and arrays, and believes
nothing that comes back: sizes, depth and dtypes are checked on arrival (`cnnlib.scripts.wire`), time is
measured from outside, and a conversation ends with the death of its process.
"""

import contextlib
import functools
import importlib.metadata
import os
import re
import secrets
import select
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np

from cnnlib import scripts
from cnnlib.errors import CourseError
from cnnlib.scripts import wire
from cnnlib.scripts.worker import MAGIC, SECONDS

MEMORY = 2 * 2**30  # bytes of address space: NumPy alone takes a few hundred million
PROCESSES = 2  # the warm one, and the one that it forks
POLL_SECONDS = 0.05
START_SECONDS = 60
WALL = 4  # times the limit of CPU time, and START_SECONDS more, for a busy machine

CONFINED, CONTAINER, UNCONFINED = "confined", "in a container", "unconfined"
OWN = "own"
"""For a learner's own code on their own machine: it may import and read what it likes, and gets no more memory than there is."""


class BoxError(CourseError):
    """Learners' code can't be run here; the message says why and what to do."""


class Ended(Exception):
    """The conversation is over: `reason` is "timeout" or "died"."""

    def __init__(self, reason: str):
        super().__init__(reason)
        self.reason = reason


def missing() -> str:
    """What this machine lacks to confine learners' code; empty where it has everything.

    Examples
    --------
    >>> "confine" in missing() or missing() == ""
    True
    """
    if sys.platform != "linux":
        return f"{sys.platform} has nothing to confine a process with"
    try:
        import sandlock
    except ImportError:
        return "the library sandlock, which can confine a process, is not installed"
    has, needs = sandlock.landlock_abi_version(), sandlock.min_landlock_abi()
    if has < needs:
        return (
            f"this kernel has Landlock ABI {max(has, 0)}, and {needs} (Linux 6.12) is needed to "
            "confine a process"
        )
    if _user() is None and os.geteuid():
        return "this machine refuses to start a confined process, though its kernel could"
    if _user() is None:
        return (
            "this machine starts no confined process for root, as it allows no user namespaces (most "
            "containers don't); an ordinary user's processes it may well confine"
        )
    return ""


NOBODY = {"uid": 65534, "gid": 65534}


@functools.cache
def _user() -> dict | None:
    """As whom a confined process runs; None where none can be started.

    As nobody, in a user namespace of its own. Where the machine allows none (Ubuntu 24.04, a chroot), as
    the user who grades, which confines an ordinary user's process no less: Landlock and seccomp
    hold it. Root's would keep what root may do beside files.
    """
    from sandlock import StdioMode as Mode

    nothing = dict.fromkeys(("stdin", "stdout", "stderr"), Mode.NULL)
    for user in (NOBODY, {}) if os.geteuid() else (NOBODY,):
        with contextlib.suppress(RuntimeError):
            _sandbox([Path("/")], **user).popen([sys.executable, "-S", "-c", ""], **nothing).wait()
            return user
    return None


def _sandbox(readable: list[Path], **options):
    """A sandbox in which a process may read these paths."""
    import sandlock

    warnings.filterwarnings("ignore", "Policy field 'gid'", UserWarning)
    return sandlock.Sandbox(
        fs_readable=[str(path) for path in readable],
        max_memory=2 * MEMORY,
        max_processes=PROCESSES,
        max_open_files=64,
        no_coredump=True,
        clean_env=True,
        extra_deny_syscalls=DENIED,
        **options,
    )


def level(unconfined: bool = False) -> str:
    """How learners' code will be run here.

    Raises
    ------
    BoxError
        Nothing here confines it, and nobody said that it may run all the same.
    """
    if unconfined:
        return UNCONFINED
    lack = missing()
    if not lack:
        return CONFINED
    if (
        os.environ.get("CNNLIB_CONTAINER") == "1"
        and Path("/.dockerenv").exists() | Path("/run/.containerenv").exists()
    ):
        return CONTAINER
    raise BoxError(
        f"The submissions' code can't be confined here: {lack}. Grade in the container that "
        "docs/grading.md describes, or, if you trust everybody who handed in, with --unconfined."
    )


class Box:
    """One warm process. Use it as a context manager.

    Parameters
    ----------
    how : str
        As `level` says.
    """

    def __init__(self, how: str):
        self.how = how
        self._folder = tempfile.TemporaryDirectory(prefix="cnnlib-box-")
        self.home = Path(self._folder.name).resolve()
        _furnish(self.home)
        self._process = None

    def __enter__(self) -> "Box":
        return self

    def __exit__(self, *_) -> None:
        self.stop()
        self._folder.cleanup()

    def warm_up(self) -> None:
        """Start the process, if it isn't there; it needs a second until it is ready."""
        if self._process is None:
            self._process = self._start()

    def talk(self, seconds: float) -> "Conversation":
        """Begin a conversation, in a process of its own, that may take so much CPU time."""
        for _ in range(3):
            self.warm_up()
            try:
                return Conversation(self, self._process, seconds)
            except (OSError, wire.WireError, Ended):
                self.stop()
        raise BoxError("The process for learners' code does not answer.")

    def stop(self) -> None:
        """End the process with all its children."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(Exception):
            if isinstance(process, subprocess.Popen) and hasattr(os, "killpg"):
                os.killpg(process.pid, signal.SIGKILL)  # else a conversation would go on for good
            else:
                process.kill()
        for stream in (process.stdin, process.stdout):
            with contextlib.suppress(Exception):
                stream.close()
        with contextlib.suppress(Exception):
            process.wait(timeout=5)

    def _start(self):

        limits = [] if self.how == OWN else [str(MEMORY)]
        code = f"import sys; sys.path[:0] = [{str(self.home)!r}]; sys.argv[1:] = {limits}\n"
        code += "from cnnlib.scripts import worker; worker.main()"
        command = [os.path.realpath(sys.executable), "-s", "-S", "-B", "-X", "utf8", "-c", code]

        environment = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        environment |= {"PYTHONHOME": str(self.home), "PYTHONSAFEPATH": "1"}
        if self.how == OWN:
            command, environment = [sys.executable, "-X", "utf8", "-c", code], None
        if self.how != CONFINED:
            return subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment,
                bufsize=0,
                start_new_session=True,
            )
        from sandlock import StdioMode as Mode

        options = {"env": environment, "cwd": str(self.home), **_user()}
        sandbox = _sandbox(readable(self.home), **options)
        return sandbox.popen(command, stdin=Mode.PIPED, stdout=Mode.PIPED, stderr=Mode.NULL)


# What Landlock lets pass: the process belongs to whoever grades, and so do their files. Neither socket
# nor bind may be denied here, sandlock needs them itself; it denies every address.
DENIED = (
    *("chmod", "fchmod", "fchmodat", "fchmodat2", "chown", "fchown", "lchown", "fchownat"),
    *("utime", "utimes", "utimensat", "futimesat"),
    *("setxattr", "lsetxattr", "fsetxattr", "removexattr", "lremovexattr", "fremovexattr"),
    *("memfd_create", "truncate", "mknod", "mknodat", "socketpair", "listen"),
    *("inotify_init", "inotify_init1", "fanotify_init", "io_uring_setup"),
    *("process_vm_readv", "process_vm_writev", "ptrace", "pidfd_open", "pidfd_getfd"),
    *("pidfd_send_signal", "shmget", "msgget", "semget", "mq_open"),
    *("sched_setaffinity", "sched_setscheduler", "setpriority", "ioprio_set"),
)


def readable(home: Path) -> list[Path]:
    """What the process may read: the interpreter, its libraries, NumPy, and the box itself."""
    numpy_home = Path(np.__file__).resolve().parent
    found = [home, Path(os.path.realpath(sys.executable)), numpy_home]
    found += [numpy_home.parent / "numpy.libs"]
    found += _standard_library()
    library = sysconfig.get_config_var("LIBDIR")
    if library and not library.startswith("/usr"):
        found += Path(library).glob("libpython*")
    found += map(
        Path, ("/lib", "/lib64", "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu")
    )
    found += map(Path, ("/usr/lib64", "/etc/ld.so.cache", "/dev/urandom"))
    return [path for path in dict.fromkeys(found) if path.exists()]


def _standard_library() -> list[Path]:
    """All of it but what is installed beside it."""
    paths = sysconfig.get_paths()
    beside = ("site-packages", "dist-packages", "test", "idlelib", "ensurepip")
    entries = {
        path.name: path
        for home in (paths["platstdlib"], paths["stdlib"])
        for path in Path(home).resolve().iterdir()
        if path.name not in beside
    }
    return list(entries.values())


def _furnish(home: Path) -> None:
    """Lay out a folder with the standard library, NumPy and the scripts, and nothing beside them."""
    stdlib = home / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    stdlib.mkdir(parents=True)
    for path in _standard_library():
        (stdlib / path.name).symlink_to(path)
    source = Path(scripts.__file__).parent
    package = home / "cnnlib"
    package.mkdir()
    (package / "__init__.py").write_text("")
    shutil.copytree(source, package / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("numpy", "numpy.libs"):
        target = Path(np.__file__).resolve().parent.parent / name
        if target.exists():
            (home / name).symlink_to(target)


class Conversation:
    """A learner's process: requests go in, plain data comes out, within limits. Use it as a context manager."""

    def __init__(self, box: Box, process, seconds: float):
        self.box, self.seconds = box, seconds
        self.wall = time.monotonic() + START_SECONDS
        self.sink, self.source = process.stdin.fileno(), process.stdout.fileno()
        self.pid = self.pidfd = None
        self.over: str | None = None
        _drain(self.source)
        token = secrets.token_bytes(16)
        # Time is measured from here; should nobody be left who measures, this is the end of it.
        end = int(2 * seconds + START_SECONDS)
        self._write(MAGIC + token + end.to_bytes(SECONDS))
        hello = self._receive()
        if not isinstance(hello, dict) or hello.get("token") != token.hex():
            raise wire.WireError("another process answered")
        self.pid = hello["pid"]
        self.warm = _parent_of(self.pid)
        if hasattr(os, "pidfd_open"):
            self.pidfd = os.pidfd_open(self.pid)
        self.wall += WALL * seconds

    def __enter__(self) -> "Conversation":
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def close(self) -> None:
        """End the learner's process; it is dead when this returns."""
        if self.pid is None:
            return
        try:
            if self.pidfd is not None:
                with contextlib.suppress(ProcessLookupError):
                    signal.pidfd_send_signal(self.pidfd, signal.SIGKILL)
                dead, _, _ = select.select([self.pidfd], [], [], 10)
                if self.warm:  # the learner's code may have stopped it
                    with contextlib.suppress(OSError):
                        os.kill(self.warm, signal.SIGCONT)
                os.close(self.pidfd)
                if not dead or self.over:
                    self.box.stop()
            else:
                self._kill()
        finally:
            self.pid = self.pidfd = None

    def _kill(self) -> None:
        """Where there are no file descriptors for processes: the warm process knows when this one is dead."""
        if self.over or not hasattr(os, "fork"):
            self.box.stop()
            return
        with contextlib.suppress(OSError):
            for _ in range(200):
                os.kill(self.pid, signal.SIGKILL)
                time.sleep(POLL_SECONDS / 10)
            self.box.stop()

    def ask(self, request: dict, props: list = ()):
        """Send a request and wait for its answer; meanwhile the other side may call `props`.

        Raises
        ------
        Ended
            All of it took more CPU time than it may, or far more time, or the process ended, or sent
            something that is no answer.
        """
        if self.over:
            raise Ended(self.over)
        try:
            self._write(wire.pack(request))
            while True:
                answer = self._receive()
                if not isinstance(answer, dict):
                    raise wire.WireError("no answer")
                if "call" not in answer:
                    return answer
                self._write(wire.pack(_called(answer, props)))
        except Ended as ended:
            self.over = ended.reason
            raise
        except (OSError, wire.WireError, LookupError, TypeError):
            self.over = "died"
            raise Ended("died") from None

    def _cpu_seconds(self) -> float:
        try:
            fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
            return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        except (OSError, ValueError, IndexError):
            return 0.0

    def _receive(self):
        def read(count: int) -> bytes:
            parts = []
            while count:
                part = self._read_some(min(count, 2**20))
                parts.append(part)
                count -= len(part)
            return b"".join(parts)

        text, body = wire.sizes(read(wire.HEAD.size))
        return wire.unpack(read(text), read(body))

    def _read_some(self, count: int) -> bytes:
        watched = [self.source] + ([self.pidfd] if self.pidfd is not None else [])
        while True:
            ready, _, _ = select.select(watched, [], [], POLL_SECONDS)
            if self.source in ready:
                part = os.read(self.source, count)
                if not part:
                    raise Ended("died")
                return part
            if ready:  # it is dead, and has left nothing more to read
                raise Ended("died")
            if time.monotonic() > self.wall or (self.pid and self._cpu_seconds() > self.seconds):
                raise Ended("timeout")

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        os.set_blocking(self.sink, False)
        while view:
            _, ready, _ = select.select([], [self.sink], [], POLL_SECONDS)
            if ready:
                view = view[os.write(self.sink, view[:65536]) :]
            elif time.monotonic() > self.wall:
                raise Ended("timeout")


def _parent_of(pid: int) -> int | None:
    """The process that made this one, as far as one can see it; the learner's code hasn't run yet."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, ValueError, IndexError):
        return None


def _drain(source: int) -> None:
    """Throw away what a dead process has left in the pipe."""
    while select.select([source], [], [], 0)[0]:
        if not os.read(source, 2**20):
            raise Ended("died")


METHODS = ("forward", "backward", "step")


def _called(request: dict, props: list) -> dict:
    """Call an object of the check's, as the learner's code asked."""
    prop, method = props[request["call"]], request["method"]
    args, kwargs = request["args"], request["kwargs"]
    if method not in METHODS or not isinstance(args, tuple) or not isinstance(kwargs, dict):
        raise wire.WireError("no such method")
    try:
        return {"return": getattr(prop, method)(*args, **kwargs)}
    except Exception as error:
        notes = [str(note) for note in getattr(error, "__notes__", [])]
        return {"raise": type(error).__name__, "text": str(error), "notes": notes}


def versions() -> str:
    """What took part, for the report."""
    found = []
    for name in ("sandlock", "numpy", "nbval"):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found.append(f"{name} {importlib.metadata.version(name)}")
    return f"Python {re.match(r'[0-9.]+', sys.version)[0]}, {', '.join(found)}"
