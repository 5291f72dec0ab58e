"""A pytest plugin beside nbval: it tells, cell by cell and as it goes, what happened.

It writes JSON lines to the file that `--grading-rows` names: the kernel's process first, then two lines
for each cell, when it starts and when it ends. So there is something to show meanwhile, and a process
that dies has said how far it came. The first cell that hangs or kills its kernel ends the run.
"""

import contextlib
import json
import os
import re
import sys
import time
from collections import deque
from pathlib import Path
from queue import Empty

import nbval.plugin
import pytest
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import KernelManager
from nbval.kernel import RunningKernel

from cnnlib.grading.assemble import key

POLL_SECONDS = 0.25
PRINT_LIMIT = 1_000_000  # characters that a cell may print; what comes after is dropped
TEXT_LIMIT = 10_000  # characters of each text in a line
ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class KernelDied(RuntimeError):
    """The kernel's process is gone."""


class _KernelSpecs(KernelSpecManager):
    """Whatever kernel a notebook names, it gets this one."""

    def get_kernel_spec(self, kernel_name):
        argv = [sys.executable, "-m", "cnnlib.grading.kernel", "-f", "{connection_file}"]
        return KernelSpec(argv=argv, display_name=kernel_name, language="python")


class Kernel(RunningKernel):
    """nbval's kernel, but started here; it notices at once when it died, and drops a flood of output."""

    def __init__(self, kernel_name, cwd=None, startup_timeout=60):
        self.km = KernelManager(kernel_name=kernel_name, kernel_spec_manager=_KernelSpecs())
        with open(os.devnull, "w") as nowhere:
            self.km.start_kernel(cwd=cwd, stderr=nowhere)
        self.kc = self.km.client()
        self.kc.start_channels()
        self.kc.wait_for_ready(timeout=startup_timeout)
        self._outputs, self._printed = deque(), 0

    @property
    def pid(self) -> int:
        return self.km.provisioner.pid

    def execute_cell_input(self, cell_input, allow_stdin=None):
        self._outputs.clear()
        self._printed = 0
        return super().execute_cell_input(cell_input, allow_stdin)

    def get_message(self, stream, timeout=None):
        """Wait as nbval does, but look after the kernel meanwhile."""
        end = time.monotonic() + timeout
        while True:
            if stream == "iopub" and self._outputs:
                return self._outputs.popleft()
            try:
                return self._receive(stream, min(POLL_SECONDS, max(0, end - time.monotonic())))
            except Empty:
                if not self.is_alive():
                    raise KernelDied("the kernel died") from None
                if time.monotonic() >= end:
                    raise
            if stream == "shell":
                self._fetch_outputs()

    def _fetch_outputs(self):
        """Take what has been printed so far, before the queue of it fills the memory."""
        with contextlib.suppress(Empty):
            while True:
                self._outputs.append(self._receive("iopub", 0))

    def _receive(self, stream, timeout):
        if stream == "shell":
            return self.kc.get_shell_msg(timeout=timeout)
        message = self.kc.get_iopub_msg(timeout=timeout)
        if message["msg_type"] == "stream":
            content = message["content"]
            content["text"] = content["text"][: max(0, PRINT_LIMIT - self._printed)]
            self._printed += len(content["text"])
        return message


class Rows:
    """Writes the lines."""

    def __init__(self, path: str):
        self.path = Path(path)
        self.kernel = None

    def write(self, **row):
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")

    def pytest_runtest_call(self, item):
        if self.kernel is None:
            self.kernel = item.parent.kernel.pid
            self.write(kernel=self.kernel)
        self.write(cell=key(item.cell), outcome="started")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item, call):
        report = yield
        if call.when == "call":
            row = _row(item, call, report)
            self.write(cell=key(item.cell), **row)
            if row["outcome"] in ("timeout", "died"):
                item.session.shouldstop = f"{key(item.cell)}: {row['outcome']}"
        return report


def _row(item, call, report) -> dict[str, str]:
    if call.excinfo is None:
        return {"outcome": "passed" if report.outcome == "passed" else "failed"}
    if item.parent.timed_out:
        return {"outcome": "timeout"}
    if not item.parent.kernel.is_alive():
        return {"outcome": "died"}
    errors = [out for out in item.test_outputs or [] if out.output_type == "error"]
    if errors:
        name, message, trace = errors[-1].ename, errors[-1].evalue, errors[-1].traceback
    elif hasattr(item, "comparison_traceback"):
        name, message, trace = "OutputsDiffer", "\n".join(item.comparison_traceback), []
    else:
        name, message, trace = call.excinfo.typename, str(call.excinfo.value), []
    # IPython's frames: those in a cell say something to a learner, those in a library do not.
    trace = [frame for frame in map(_plain, trace) if frame.lstrip().startswith("Cell In[")]
    return {
        "outcome": "failed",
        "error": name,
        "message": _plain(message)[:TEXT_LIMIT],
        "trace": "\n".join(trace)[:TEXT_LIMIT],
    }


def _plain(text: str) -> str:
    """Text without colours and control characters, and without what differs from run to run."""
    text = CONTROL.sub("", ANSI.sub("", text)).replace(os.getcwd(), ".")
    return re.sub(r"\b0x[0-9a-f]{6,}\b", "0x…", text)


def pytest_addoption(parser):
    parser.addoption("--grading-rows", metavar="FILE", help="write a JSON line for each cell")


def pytest_configure(config):
    nbval.plugin.RunningKernel = Kernel
    config.pluginmanager.register(Rows(config.getoption("--grading-rows")))
