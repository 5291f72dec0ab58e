"""The process that holds learners' code: it runs answers and scripts, and sends back plain data.

``python -I -S worker.py`` waits on its standard input. For each conversation it forks, so what one
learner's code does to its process is gone with it. In a conversation, three requests come, each
answered by one message: modules to make importable, cells to run, a script to run.
"""

import builtins
import importlib.abc
import importlib.machinery
import io
import linecache
import os
import select
import signal
import sys

import numpy as np
import numpy.linalg
import numpy.random

from cnnlib.scripts import attempt, kind, own_frame, wire
from cnnlib.scripts.outcome import Beginning
from cnnlib.scripts.script import Script
from cnnlib.scripts.words import shorten

MAGIC = b"\0fork\0"
# A conversation is asked for by MAGIC, then so many bytes that name it, and so many for the CPU
# seconds after which it ends in any case.
TOKEN = 16
SECONDS = 4
KNOWN = {c.__name__ for c in vars(builtins).values() if isinstance(c, type)} | {
    "AxisError",
    "LinAlgError",
    "NotALength",
}


class Channel:
    """Messages through two file descriptors."""

    def __init__(self, source: int, sink: int):
        self.source, self.sink = source, sink

    def receive(self):
        text, body = wire.sizes(self._read(wire.HEAD.size))
        return wire.unpack(self._read(text), self._read(body))

    def _read(self, count: int) -> bytes:
        parts = []
        while count:
            part = os.read(self.source, min(count, 2**20))
            if not part:
                os._exit(0)
            parts.append(part)
            count -= len(part)
        return b"".join(parts)

    def send(self, value) -> None:
        data = memoryview(wire.pack(value))
        while data:
            data = data[os.write(self.sink, data) :]


class Prop:
    """An object of the check's, which stays on its side: a call goes there and comes back."""

    def __init__(self, channel: Channel, number: int, shown: str, attributes: dict):
        self.__dict__.update(attributes, _channel=channel, _number=number, _shown=shown)

    def __repr__(self):
        return self._shown

    def _call(self, method, args, kwargs):
        self._channel.send({"call": self._number, "method": method, "args": args, "kwargs": kwargs})
        answer = self._channel.receive()
        if "raise" in answer:
            base = getattr(builtins, answer["raise"], RuntimeError)
            error = base(answer["text"])
            for note in answer["notes"]:
                error.add_note(note)
            raise error
        return answer["return"]

    def __getattr__(self, name):
        if name.startswith("_") or name not in ("forward", "backward", "step"):
            raise AttributeError(f"{self._shown} has no attribute {name!r}")
        return lambda *args, **kwargs: self._call(name, args, kwargs)


class Given(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports the modules of the course that came by message, and refuses the others."""

    def __init__(self):
        self.sources: dict[str, str] = {}

    def find_spec(self, name, path=None, target=None):
        if not name.startswith("cnnlib.") or name.startswith("cnnlib.scripts"):
            return None
        if name not in self.sources:
            says = "is the course's own, which earns nothing: it is not there while you are judged"
            raise ImportError(f"{name} {says}", name=name)
        return importlib.machinery.ModuleSpec(name, self)

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        source = self.sources[module.__name__]
        exec(compile(source, f"<{module.__name__}>", "exec", dont_inherit=True), module.__dict__)


class Conversation:
    """What a learner's process does, message by message."""

    def __init__(self, channel: Channel):
        self.channel = channel
        self.given = Given()
        self.namespaces: dict[str, dict] = {}
        sys.meta_path.insert(0, self.given)

    def go_on(self) -> None:
        while True:
            request = self.channel.receive()
            self.channel.send(getattr(self, f"on_{request['do']}")(request))

    def on_modules(self, request):
        self.given.sources |= request["sources"]
        return {}

    def on_cell(self, request):
        """Run a cell as a file of its own; say how each of the names that it may define is bound."""
        space = self.namespaces.setdefault(request["space"], {"__name__": request["space"]})
        name, source = request["file"], request["source"]
        linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
        printed, error = Beginning(), None
        before = sys.stdout, sys.stderr
        sys.stdout = sys.stderr = printed
        try:
            code = compile(source, name, "exec", dont_inherit=True)
            exec(code, space)
        except (Exception, SystemExit) as stopped:
            error = _error(stopped)
        finally:
            sys.stdout, sys.stderr = before
        wanted = request["names"]
        kinds = {n: kind(space[n]) for n in wanted if n in space}
        shown = {n: shorten(repr(space[n]), 200) for n, k in kinds.items() if not k}
        return {"error": error, "kinds": kinds, "shown": shown, "printed": printed.lines()}

    def on_bind(self, request):
        """Make names of one space importable from `cnnlib.mine`, or known in another space."""
        source = self.namespaces[request["space"]]
        target = self.namespaces.setdefault(request["into"], {"__name__": request["into"]})
        target |= {name: source[name] for name in request["names"] if name in source}
        if request["into"] == "cnnlib.mine":
            module = type(sys)("cnnlib.mine")
            vars(module).update(target, __name__="cnnlib.mine")
            sys.modules["cnnlib.mine"] = module
        return {}

    def on_script(self, request):
        thing = self.namespaces[request["space"]][request["thing"]]
        run = Script(request["script"], request["settings"], request["course"])
        inputs = request["inputs"]
        props = {name: self._props(prop) for name, prop in request["props"].items()}
        seen: dict = {}

        def keep(thing, **arrays):
            seen.update({name: arrays[name] for name in inputs})
            return run(thing, **arrays)

        outcome = attempt(keep, thing, inputs, props)
        return {
            "value": outcome.value,
            "error": None if outcome.error is None else _error(outcome.error),
            "inputs": seen,
            "printed": outcome.printed,
            "warned": outcome.warned,
        }

    def _props(self, described):
        if isinstance(described, list):
            return [self._props(each) for each in described]
        return Prop(self.channel, **described)


def _error(error: BaseException) -> dict:
    stop = own_frame(error)
    if isinstance(error, SyntaxError):
        line = (error.text or "").strip()
        frame = {"function": "the cell", "number": error.lineno or 0, "line": line, "shapes": {}}
    else:
        frame = stop and {
            "function": stop.function,
            "number": stop.number,
            "line": stop.line,
            "shapes": dict(list(stop.shapes.items())[:8]),
        }
    plain = all(isinstance(a, str | int | float) for a in error.args) and len(error.args) == 1
    try:
        text = str(error)
    except Exception:
        text = ""
    return {
        "name": type(error).__name__,
        "kinds": [c.__name__ for c in type(error).__mro__ if c.__name__ in KNOWN],
        "text": text if not isinstance(error, SyntaxError) else str(error.msg),
        "argument": error.args[0] if plain else None,
        "notes": [str(n) for n in getattr(error, "__notes__", [])][:5],
        "frame": frame,
    }


def main() -> None:
    """Wait for conversations, and fork for each."""
    _hold_back(True)
    while True:
        token, seconds = _next_token(0)
        child = os.fork() if hasattr(os, "fork") else 0  # without it, one conversation and no more
        if child == 0:
            break
        _wait(child)
    _hold_back(False)
    _limit(seconds, *map(int, sys.argv[1:]))
    channel = Channel(0, os.dup(1))
    nobody_reads, nowhere = os.pipe()
    os.close(nobody_reads)
    os.dup2(nowhere, 1)
    sys.stdin, sys.stdout = io.StringIO(), Beginning()
    channel.send({"token": token.hex(), "pid": os.getpid()})
    try:
        Conversation(channel).go_on()
    finally:
        os._exit(1)


def _hold_back(held: bool) -> None:
    """Keep the news of a child's death for `_wait`, or let it through again."""
    if hasattr(signal, "sigtimedwait"):
        how = signal.SIG_BLOCK if held else signal.SIG_UNBLOCK
        signal.pthread_sigmask(how, {signal.SIGCHLD})


def _wait(child: int) -> None:
    """Wait until a conversation is over, or nobody is left to have it with: then end it."""
    if not hasattr(signal, "sigtimedwait"):  # on macOS
        os.waitpid(child, 0)
        return
    asker = select.poll()
    asker.register(0, 0)  # tells of a closed end only: what is written is the child's to read
    while os.waitpid(child, os.WNOHANG) == (0, 0):
        signal.sigtimedwait({signal.SIGCHLD}, 1)
        if asker.poll(0):
            os.kill(child, signal.SIGKILL)
            os._exit(0)


def _next_token(source: int) -> tuple[bytes, int]:
    """Read on until a conversation is asked for; its token, and the CPU seconds it may take at most."""
    seen = b""
    while not seen.endswith(MAGIC):
        byte = os.read(source, 1)
        if not byte:
            os._exit(0)
        seen = (seen + byte)[-len(MAGIC) :]
    head = b""
    while len(head) < TOKEN + SECONDS:
        head += os.read(source, TOKEN + SECONDS - len(head)) or os._exit(0)
    return head[:TOKEN], int.from_bytes(head[TOKEN:])


def _limit(seconds: int, memory: int = 0) -> None:
    try:
        import resource
    except ImportError:  # not on Windows
        return
    limits = {"RLIMIT_CPU": seconds}
    if memory:
        limits |= {"RLIMIT_AS": memory, "RLIMIT_FSIZE": 0, "RLIMIT_CORE": 0}
    for what, limit in limits.items():
        which = getattr(resource, what)
        highest = resource.getrlimit(which)[1]  # whoever set it may have set it lower
        limit = limit if highest == resource.RLIM_INFINITY else min(limit, highest)
        resource.setrlimit(which, (limit, limit))


if __name__ == "__main__":
    np.random.default_rng(0).normal(size=3) @ np.ones(3)
    main()
