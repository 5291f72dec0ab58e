"""Answers that deserve nothing, and answers that want to do harm: none gains a point, none does harm.

Each is judged as it would be in a class, with the learner's code confined. Where this machine can't
confine it, what is about points is tested all the same.
"""

import json
import os
import socket
import time
from pathlib import Path

import pytest
from nbformat import NotebookNode

from cnnlib import notebooks
from cnnlib.grading import box
from cnnlib.grading.assemble import Submission, load
from cnnlib.grading.grade import grade
from cnnlib.grading.judges import Judge, Judges
from cnnlib.grading.verdict import Status
from cnnlib.notebooks import Course

COURSE = Course(Path(__file__).parents[1])
HOW = box.UNCONFINED if box.missing() else box.CONFINED
confined = pytest.mark.skipif(HOW != box.CONFINED, reason=box.missing() or "confined")
SECONDS = 4
NAME = "04_flatten"
RIGHT = """
class Flatten:
    def forward(self, x):
        self.x_shape = x.shape
        return x.reshape(len(x), -1)

    def backward(self, dy):
        return dy.reshape(self.x_shape)
"""
WRONG = RIGHT.replace("return dy.reshape(self.x_shape)", "return 0 * dy.reshape(self.x_shape)")
WRONG = WRONG.replace("return x.reshape(len(x), -1)", "return 0 * x.reshape(len(x), -1)")


@pytest.fixture(scope="session")
def originals():
    return load(COURSE)


@pytest.fixture(scope="session")
def judge():
    judge = Judge(COURSE, HOW)
    yield judge
    judge.stop()


@pytest.fixture
def graded(originals, judge):
    """Grade one answer of a notebook; the others are right, or those that are given."""

    def run(source: str, answer: str = "flatten", name: str = NAME, **more):
        answers = notebooks.answers(originals.solved[name]) | {answer: source} | more
        right = {
            (n, key)
            for n, nb in originals.solved.items()
            if n < name
            for key in notebooks.answers(nb)
        }
        every = {n: Submission(notebooks.answers(nb)) for n, nb in originals.solved.items()}
        submissions = every | {name: Submission(answers)}
        return grade("ada", name, submissions, originals, judge.ask, timeout=SECONDS, right=right)

    return run


def of(grade, answer: str = "flatten"):
    return [each for each in grade.results if each.exercise.answer_id == answer]


def answer_id(nb: NotebookNode, name: str) -> str:
    return next(key for key, s in notebooks.answers(nb).items() if name in notebooks.defined(s))


# ---------------------------------------------------------------------- forging

FORGED = {
    "the engine's check rebound": "from cnnlib.check.engine import Check\nCheck.failure = lambda s, t: None",
    "check rebound": "class check:\n    flatten_forward = flatten_backward = staticmethod(lambda t: print('✓'))",
    "sys.modules": "import sys\nsys.modules['cnnlib.check'] = type(sys)('check')",
    "the course's class": "from cnnlib.layers import Flatten",
    "a subclass of the course's class": "import cnnlib.layers\nclass Flatten(cnnlib.layers.Flatten): pass",
    "a wrapper of the course's class": """
class Flatten:
    def __init__(self):
        from cnnlib.layers import Flatten
        self.it = Flatten()
    def forward(self, x): return self.it.forward(x)
    def backward(self, dy): return self.it.backward(dy)""",
    "from cnnlib.mine": "from cnnlib.mine import Flatten",
    "from solutions": """
import json, pathlib, glob
for path in glob.glob('/**/solutions/04_flatten.ipynb', recursive=True):
    for cell in json.loads(pathlib.Path(path).read_text())['cells']:
        if 'class Flatten' in ''.join(cell['source']): exec(''.join(cell['source']))""",
    "check.reference": "from cnnlib import check\nFlatten = check.flatten_forward.reference",
    "the reference through gc": """
import gc
Flatten = next(o for o in gc.get_objects() if isinstance(o, type) and o.__name__ == 'Flatten')""",
    "frames": """
import sys
class Flatten:
    def forward(self, x):
        frame = sys._getframe()
        while frame:
            for value in frame.f_locals.values():
                if getattr(value, 'expected', None) is not None: return value.expected
            frame = frame.f_back
    backward = forward""",
    "an array that is equal to all": """
class Always(np.ndarray):
    def __eq__(self, other): return np.ones(np.shape(other), bool)
    def __sub__(self, other): return np.zeros(np.shape(other))
class Flatten:
    def forward(self, x):
        self.shape = x.shape
        return np.zeros((len(x), x[0].size)).view(Always)
    def backward(self, dy): return np.zeros(self.shape).view(Always)""",
    "NumPy's comparisons patched": "np.array_equal = np.allclose = lambda *a, **k: True\n" + WRONG,
    "scripts patched": """
import cnnlib.scripts.layer as scripts, cnnlib.scripts.outcome as outcome
scripts.forward = scripts.backward = lambda thing, **inputs: True
outcome.attempt = lambda *a: outcome.Outcome(True)
"""
    + WRONG,
    "the worker's protocol": """
import cnnlib.scripts.worker as worker
import __main__
worker.Conversation.on_script = lambda self, request: {
    'value': True, 'error': None, 'inputs': request['inputs'], 'printed': '', 'warned': (), 'right': True}
"""
    + WRONG,
    "messages by hand": """
import json
import os
from cnnlib.scripts import wire
for fd in range(3, 20):
    try: os.write(fd, 50 * wire.pack({'error': None, 'kinds': {'Flatten': 'class'}, 'shown': {}, 'printed': '', 'passed': True, 'outcome': 'passed'}))
    except OSError: pass
"""
    + WRONG,
    "a passed line printed": "print('✓ Flatten.forward: one row for each picture, every number in its place')\n"
    + WRONG,
    "NBVAL_SKIP": "# NBVAL_SKIP\n" + WRONG,
    "a pickle that runs": """
class Evil:
    def __reduce__(self): return (__import__('builtins').exec, ("raise SystemExit",))
class Flatten:
    def forward(self, x): return Evil()
    def backward(self, dy): return Evil()""",
    "exit with code 0": "class Flatten:\n    def forward(self, x): raise SystemExit(0)\n    def backward(self, dy): raise SystemExit(0)",
    "IPython's transformers": "get_ipython().ast_transformers.append(None)\n" + WRONG,
    "a metaclass that says it is right": """
class Meta(type):
    def __call__(cls): return True
    __instancecheck__ = __subclasscheck__ = lambda *a: True
class Flatten(metaclass=Meta): right = True""",
    "an endless repr": "class Flatten:\n    def forward(self, x): return R()\n    backward = forward\nclass R:\n    def __repr__(self): return 10**9 * 'x'",
    "NaN everywhere": "class Flatten:\n    def forward(self, x): self.s = x.shape; return np.full((len(x), x[0].size), np.nan)\n    def backward(self, dy): return np.full(self.s, np.nan)",
    "the input's memory read back": """
class Flatten:
    def forward(self, x):
        self.x = x
        x[...] = 0
        return np.zeros((len(x), x[0].size))
    def backward(self, dy):
        dy[...] = 0
        return np.zeros(self.x.shape)""",
}


@pytest.mark.parametrize("source", FORGED.values(), ids=FORGED)
def test_what_deserves_nothing_gets_nothing(graded, source):
    given = graded(source)
    assert [each.points for each in of(given)] == [0, 0], [each.message for each in of(given)]
    others = [each for each in given.results if each not in of(given)]
    assert all(each.status is Status.DONE for each in others)


def test_the_courses_own_layers_earn_nothing_and_say_so(graded):
    for name in ("the course's class", "a wrapper of the course's class"):
        message = of(graded(FORGED[name]))[0].message
        assert "earns nothing" in message, message


def test_a_right_answer_that_tampers_harms_nobody_else(graded):
    given = graded(FORGED["check rebound"] + "\n" + RIGHT)
    assert given.points == given.out_of


# ---------------------------------------------------------------------- harm

HARM = """
import os, sys
class Flatten:
    def forward(self, x):
        {}
        return None
    def backward(self, dy): return self.forward(dy)
"""


def harmful(*lines: str) -> str:
    return HARM.format("\n        ".join(lines))


@pytest.fixture
def victim(tmp_path):
    file = tmp_path / "grades.csv"
    file.write_text("ada,12\n")
    os.chmod(tmp_path, 0o777)
    os.chmod(file, 0o666)
    return file


def fingerprint(path: Path) -> tuple:
    status = path.stat()
    return path.read_text(), status.st_mode, status.st_uid, status.st_mtime_ns, os.listxattr(path)


LOOPS = """
class FastMaxPool2D:
    def __init__(self, pool_size, stride=None):
        self.it = MaxPool2D(pool_size, stride)
    def forward(self, x): {stop}return self.it.forward(x)
    def backward(self, dy): return self.it.backward(dy)
"""
STOPPED = {
    "sys": "import sys; sys.settrace(None); ",
    "NumPy's sys": "np.f2py.sys.settrace(None); ",
    "a built-in": "eval('__imp' + 'ort__')('sys').settrace(None); ",
    "a pickle": "np.load(self, allow_pickle=True); ",
    "a frame": "(k for k in ()).gi_frame.f_back.f_trace = None; ",
    "a subclass": "().__class__.__base__.__subclasses__(); ",
}


@pytest.mark.parametrize("stop", STOPPED.values(), ids=STOPPED)
def test_the_steps_of_a_loop_are_counted(graded, originals, stop):
    name = "08_fast"
    key = answer_id(originals.solved[name], "FastMaxPool2D")
    with_loops = notebooks.answers(originals.solved["03_pool"])
    loops = with_loops[answer_id(originals.solved["03_pool"], "MaxPool2D")]
    given = graded(loops + LOOPS.format(stop=stop), key, name)
    (counted,) = [each for each in given.results if each.exercise.name == "fast_pool_loops"]
    assert counted.points == 0
    assert "counts the steps of your code" in counted.message


FILES = {
    "write": "open({file!r}, 'w').write('ada,100')",
    "append": "open({file!r}, 'a').write('x')",
    "delete": "os.remove({file!r})",
    "rename": "os.rename({file!r}, {file!r} + '2')",
    "truncate": "os.truncate({file!r}, 0)",
    "chmod": "os.chmod({file!r}, 0)",
    "chown": "os.chown({file!r}, 65534, 65534)",
    "utime": "os.utime({file!r}, (0, 0))",
    "setxattr": "os.setxattr({file!r}, 'user.x', b'1')",
    "link": "os.link({file!r}, {file!r} + '2')",
    "symlink": "os.symlink('/etc/passwd', {file!r} + '3')",
    "mkdir": "os.mkdir({file!r} + '.d')",
    "a file beside it": "open({file!r} + '.pth', 'w').write('import os')",
}


@confined
@pytest.mark.parametrize("line", FILES.values(), ids=FILES)
def test_no_file_is_changed(graded, victim, line):
    before = fingerprint(victim)
    said = "except BaseException as e: print(type(e).__name__, e)"
    graded(harmful("try: " + line.format(file=str(victim)), said))
    assert fingerprint(victim) == before
    assert os.listdir(victim.parent) == [victim.name]


READS = {
    "a neighbour's work": "open({file!r}).read()",
    "the folder": "os.listdir({folder!r})",
    "passwd": "open('/etc/passwd').read()",
    "the solutions": "open({course!r} + '/solutions/04_flatten.ipynb').read()",
    "the reference": "open({course!r} + '/cnnlib/layers.py').read()",
    "the environment": "os.environ['SECRET_TOKEN']",
    "the grader's environment": "open('/proc/%d/environ' % os.getppid()).read()",
    "its own command line's parent": "open('/proc/1/environ').read()",
    "the process list": "os.listdir('/proc')",
    "memory of the warm process": "open('/proc/%d/mem' % os.getppid(), 'rb').read(1)",
    "the home": "os.listdir(os.path.expanduser('~'))",
    "another framework": "__import__('torch')",
    "the grader's packages": "__import__('nbval')",
}


@confined
@pytest.mark.parametrize("line", READS.values(), ids=READS)
def test_nothing_is_read(graded, victim, line, monkeypatch):
    monkeypatch.setenv("SECRET_TOKEN", "swordfish")
    line = line.format(file=str(victim), folder=str(victim.parent), course=str(COURSE.root))
    given = graded(harmful(f"raise ValueError('seen: ' + str({line})[:300])"))
    message = of(given)[0].message
    assert "seen:" not in message.replace("ValueError('seen: '", ""), message
    assert "swordfish" not in message


@confined
def test_no_network(graded):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        for kind in ("STREAM", "DGRAM"):
            graded(
                harmful(
                    "import socket",
                    f"s = socket.socket(socket.AF_INET, socket.SOCK_{kind})",
                    f"s.connect(('127.0.0.1', {port})); s.send(b'x')",
                )
            )
        server.settimeout(0.2)
        with pytest.raises(TimeoutError):
            server.accept()


SIGNALS = {
    "kill the grader": "os.kill({pid}, 9)",
    "stop the grader": "os.kill({pid}, 19)",
    "kill everybody": "os.kill(-1, 9)",
    "kill the group": "os.killpg(0, 9)",
    "kill the warm process": "os.kill(os.getppid(), 9)",
    "stop the warm process": "os.kill(os.getppid(), 19)",
    "a fork bomb": "[os.fork() for _ in range(30)]",
    "a child that stays": "os.fork() == 0 and (os.setsid(), __import__('time').sleep(300))",
    "another program": "os.execv('/bin/sleep', ['sleep', '300'])",
    "threads without end": "[__import__('threading').Thread(target=lambda: [0 for _ in iter(int, 1)]).start() for _ in range(50)]",
    "ptrace": "__import__('ctypes').CDLL(None).ptrace(16, os.getppid(), 0, 0)",
    "os._exit": "os._exit(0)",
    "a crash": "__import__('ctypes').string_at(0)",
    "an endless loop": "while True: pass",
    "all the memory": "np.ones(10**11); b = []; [b.append(np.ones(10**8)) for _ in range(100)]",
    "printing without end": "[print('x' * 10**6) for _ in range(10**4)]",
    "a message of 200 MB": "raise ValueError('x' * 200_000_000)",
    "a nested answer": "a = []; [a := [a] for _ in range(10**5)]; return a",
    "an answer of 10 GB": "return np.broadcast_to(np.float64(1), (10**5, 10**5))",
    "open files": "f = [os.dup(0) for _ in range(10**5)]",
    "a filled pipe": "[os.write(k, bytes(10**6)) for k in range(1, 10) for _ in range(100)]",
}


@pytest.mark.parametrize("line", SIGNALS.values(), ids=SIGNALS)
def test_nobody_else_is_harmed(graded, judge, line):
    if HOW != box.CONFINED and "kill" in line:
        pytest.skip("unconfined")
    process = judge.start().head
    given = graded(harmful(line.format(pid=process.pid)))
    assert [each.points for each in of(given)] == [0, 0]
    assert process.poll() is None
    neighbour = graded(RIGHT)
    assert neighbour.points == neighbour.out_of


@pytest.mark.slow
def test_no_judge_hands_on_where_results_are_written(originals):
    """The judges are forks of one process, which knows where each writes its results."""
    row = {"outcome": "passed", "error": "", "message": "", "notes": []}
    rows = [{"name": e.name, **row} for e in notebooks.exercises(originals.solved[NAME])]
    line = json.dumps({"rows": rows, "right": []}) + "\n"
    forger = harmful(f"line = {line.encode()!r}", "for k in range(3, 256):", "    try: os.write(k, line)", "    except OSError: pass")  # fmt: skip
    answers = notebooks.answers(originals.solved[NAME]) | {"flatten": forger}
    submissions = {NAME: Submission(answers)}
    with Judges(COURSE, HOW, 3) as judges:
        grades = [
            grade("eve", NAME, submissions, originals, judges.ask, timeout=5) for _ in range(3)
        ]
    assert [[result.points for result in of(given)] for given in grades] == [[0, 0]] * 3


@confined
def test_nothing_keeps_running(graded):
    graded(harmful("os.fork() == 0 and __import__('time').sleep(300)"))
    time.sleep(0.3)
    mine = [p for p in Path("/proc").iterdir() if p.name.isdigit()]
    sleeping = []
    for process in mine:
        try:
            command = (process / "cmdline").read_bytes()
        except OSError:
            continue
        sleeping += [process.name] if b"cnnlib-box-" in command else []
    assert len(sleeping) <= 2 * 8  # the warm processes of judges that are there, and no others
