"""What the layers cost, beside PyTorch and others: `python benchmarks/measure.py [PART ...]`.

steps    a training step of three networks, for 1, 8, 64 and 256 pictures
layers   each layer alone, there and back
growth   how a convolution's cost grows with batch, channels and size
memory   the peak memory of a training step
threads  what two threads save
fashion  a network trained to 90 % on all of Fashion-MNIST (run `cnnlib data fetch` before)

Everything but `threads` runs on one thread, all in float32, weights too. The times are CPU milliseconds. All ways
take turns in one process, and the least of many turns counts: compare them with each other, not
with those of another machine. The results go to results.json, from which report.py makes the tables
and pictures.
"""

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # BLAS reads it when NumPy is imported

import argparse
import json
import platform
import resource
import subprocess
import sys
import time
from pathlib import Path

import loops
import networks
import numpy as np
import textbook
import training

from cnnlib import datasets, fast, layers
from cnnlib.layers import parameters
from cnnlib.losses import SoftmaxCrossEntropy
from cnnlib.network import weight_gradients
from cnnlib.optimizers import SGD
from cnnlib.training import fit

RESULTS = Path(__file__).parent / "results.json"
RATE = 0.01
STEPS = {
    networks.two_convolutions: (1, 28, 28),
    networks.lenet: (1, 28, 28),
    networks.colour: (3, 32, 32),
}
BATCHES = (1, 8, 64, 256)
MODULES = {"cnnlib.fast": fast, "cnnlib.layers": layers, "textbook's im2col": textbook}


def least(ways, seconds, fewest=3, clock=time.process_time):
    """Let all ways take turns, for so many seconds; return the least milliseconds of each, of CPU time."""
    best = dict.fromkeys(ways, np.inf)
    turns, end = 0, time.perf_counter() + seconds
    while turns < fewest or time.perf_counter() < end:
        turns += 1
        for name, way in ways.items():
            begin = clock()
            way()
            best[name] = min(best[name], clock() - begin)
    return {name: float(f"{1000 * taken:.4g}") for name, taken in best.items()}


# ---------------------------------------------------------------- whole steps


def numpy_step(network, images, labels, backward=weight_gradients):
    """Return a function that trains the network for one step, as `fit` does, and returns the loss."""
    loss, optimizer = SoftmaxCrossEntropy(), SGD(network, RATE)

    def step():
        value = loss.forward(network.forward(images), labels)
        backward(network, loss.backward())
        optimizer.step()
        return value

    return step


def torch_step(network, images, labels, memory_format):
    """Return the same for a network in PyTorch with the same weights."""
    import twins

    return twins.step(network, images, labels, RATE, memory_format)


def built(make, module):
    return networks.built(make, module, np.random.default_rng(1))


def batch_of(shape, count):
    rng = np.random.default_rng(0)
    return rng.random((count, *shape), np.float32), rng.integers(0, 10, count)


def ways_of_a_step(make, shape, count):
    images, labels = batch_of(shape, count)
    ways = {
        "PyTorch": torch_step(built(make, layers), images, labels, "contiguous_format"),
        "PyTorch, channels_last": torch_step(built(make, layers), images, labels, "channels_last"),
    }
    for name, module in MODULES.items():
        ways[name] = numpy_step(built(make, module), images, labels)
    whole = built(make, fast)
    ways["cnnlib.fast, dx of the pictures too"] = numpy_step(
        whole, images, labels, lambda network, dy: network.backward(dy)
    )
    losses = [[way() for _ in range(3)] for way in ways.values()]
    np.testing.assert_allclose(losses, losses[:1] * len(losses), rtol=1e-3)  # they learn the same
    ways["the products alone"] = products(whole)
    return ways


def steps(seconds):
    found = []
    for make, shape in STEPS.items():
        by_loops = loops_for_one(make, shape)
        for count in BATCHES:
            times = least(ways_of_a_step(make, shape, count), seconds)
            times["four loops"] = float(f"{by_loops * count:.3g}")
            found.append({"network": make.__name__, "batch": count, "ms": times})
            print(found[-1], flush=True)
    return found


def loops_for_one(make, shape):
    """One step of the loops, for one picture: for more, the report multiplies."""
    step = numpy_step(built(make, loops.FourLoops), *batch_of(shape, 1))
    return least({"loops": step}, 0, fewest=2)["loops"]


def products(network):
    """Return a function that computes the network's matrix products only, on factors that stay near.

    For each row of each convolution's output, and for each Dense: the product of the forward pass, that
    for dW and, but for the first layer, that for dx.
    """
    every = []
    for layer in network.layers:
        if hasattr(layer, "W"):
            every.append((*factors(layer), bool(every)))

    def run():
        for rows, W, x, y, dx in every:
            for _ in range(rows):
                np.dot(W, x)
                np.dot(x, y.T)
                if dx:
                    np.dot(W.T, y)

    return run


def factors(layer):
    """How many products there are, and arrays of the shapes of W, x and y, after a forward pass."""
    F = layer.y_shape[1]
    K = layer.W.size // F
    N = layer.y_shape[0]
    rows, columns = (layer.y_shape[2], N * layer.y_shape[3]) if len(layer.y_shape) == 4 else (1, N)
    return rows, *(np.ones(shape, np.float32) for shape in ((F, K), (K, columns), (F, columns)))


# ---------------------------------------------------------------- layers alone

LAYERS = [
    *[
        ("Conv2D", settings, shape)
        for settings, shape in [
            ((1, 8, 3), (1, 28, 28)),
            ((8, 16, 3, 1, 1), (8, 14, 14)),
            ((6, 16, 5), (6, 14, 14)),
            ((3, 32, 3, 1, 1), (3, 32, 32)),
            ((32, 32, 3, 1, 1), (32, 32, 32)),
            ((32, 64, 3, 2, 1), (32, 32, 32)),
            ((64, 64, 1), (64, 16, 16)),
            ((128, 128, 3, 1, 1), (128, 8, 8)),
        ]
    ],
    ("MaxPool2D", (2,), (8, 28, 28)),
    ("MaxPool2D", (2,), (32, 32, 32)),
    ("MaxPool2D", (3, 2), (32, 32, 32)),
    ("AvgPool2D", (2,), (32, 32, 32)),
    ("ReLU", (), (32, 32, 32)),
    ("Dense", (400, 120), (400,)),
    ("Dense", (4096, 256), (4096,)),
]


def ways_of_a_layer(kind, settings, shape, count):
    """There and back, through each way's own layer, each in its own order in memory."""
    import twins

    rng = np.random.default_rng(0)
    x, ways = rng.random((count, *shape), np.float32), {}
    for name, module in MODULES.items():
        make = getattr(module, kind, None)
        if make is None:
            continue
        layer = make(*settings)
        for owner, weight in parameters(layer):
            setattr(owner, weight, getattr(owner, weight).astype(np.float32))
        own = in_order(layer, x) if module is fast else x
        dy = np.ones_like(layer.forward(own))
        ways[name] = lambda layer=layer, x=own, dy=dy: (layer.forward(x), layer.backward(dy))
        if name == "cnnlib.layers":
            ways |= twins.there_and_back(layer, x)
            if hasattr(layer, "W"):
                ways["the products alone"] = products_of_one(layer)
    return ways


def in_order(layer, x):
    """Lay x as the fast layer before this one would."""
    if x.ndim != 4:
        return x
    return np.ascontiguousarray(x.transpose(2, 1, 3, 0)).transpose(3, 1, 0, 2)


def products_of_one(layer):
    rows, W, x, y = factors(layer)
    return lambda: [(np.dot(W, x), np.dot(x, y.T), np.dot(W.T, y)) for _ in range(rows)]


def each_layer(seconds):
    found = []
    for kind, settings, shape in LAYERS:
        for count in (1, 64):
            times = least(ways_of_a_layer(kind, settings, shape, count), seconds / 4)
            name = repr(getattr(layers, kind)(*settings))
            found.append({"layer": name, "x": [count, *shape], "ms": times})
            print(found[-1], flush=True)
    return found


GROWTH = {
    "batch": [(n, 16, 16) for n in (1, 2, 4, 8, 16, 32, 64, 128, 256)],
    "channels": [(16, c, 16) for c in (2, 4, 8, 16, 32, 64, 128)],
    "size": [(16, 16, s) for s in (4, 8, 16, 32, 64)],
}


def growth(seconds):
    found = []
    for varies, cases in GROWTH.items():
        for count, channels, size in cases:
            settings, shape = (channels, channels, 3, 1, 1), (channels, size, size)
            times = least(ways_of_a_layer("Conv2D", settings, shape, count), seconds / 4)
            found.append({"varies": varies, "x": [count, *shape], "ms": times})
            print(found[-1], flush=True)
    return found


# ---------------------------------------------------------------- memory

IN_A_PROCESS = ("PyTorch", "PyTorch, channels_last", *MODULES)


def memory(_):
    """Each way in a process of its own, since memory once taken stays with a process."""
    megabytes = {}
    for name in IN_A_PROCESS:
        run = [sys.executable, __file__, "--peak", name]
        megabytes[name] = float(
            subprocess.run(run, check=True, capture_output=True, text=True).stdout
        )
    print(megabytes, flush=True)
    return [{"network": "colour", "batch": 64, "MB": megabytes}]


def peak(name):
    """Print how far three steps raise the peak of this process above what it holds before them."""
    images, labels = batch_of(STEPS[networks.colour], 64)
    if name in MODULES:
        step = numpy_step(built(networks.colour, MODULES[name]), images, labels)
    else:
        order = "channels_last" if "channels_last" in name else "contiguous_format"
        step = torch_step(built(networks.colour, layers), images, labels, order)
    before = highest()
    for _ in range(3):
        step()
    print(round((highest() - before) / 1024))


def highest():
    """The peak memory of this process so far, in kB."""
    status = Path("/proc/self/status")
    if status.exists():
        # What getrusage says begins with the peak of the process that started this one.
        return int(status.read_text().partition("VmHWM:")[2].split()[0])
    unit = 1024 if sys.platform == "darwin" else 1
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // unit


# ---------------------------------------------------------------- Fashion-MNIST


def fashion(_):
    import twins

    data = datasets.load_fashion_mnist(full=True)
    how = training.TO_90_PERCENT
    ways = {
        "cnnlib.fast": lambda seed: training.train(networks.fashion, fast, data, seed=seed, **how),
        "PyTorch": lambda seed: twins.train(data, seed, training.BATCH, **how),
    }
    found = []
    for seed in range(3):
        for name, way in ways.items():
            accuracy, wall, cpu = way(seed)
            row = {"layers": name, "seed": seed, **how, "accuracy": round(accuracy, 4)}
            found.append(row | {"wall_s": round(wall, 1), "cpu_s": round(cpu, 1)})
            print(found[-1], flush=True)
    return found


# ---------------------------------------------------------------- two threads


def threads(seconds):
    """Steps of `fit` with one thread and with two, by the clock: the only part that uses two cores."""
    found, in_a_row = [], 4
    for make, shape in STEPS.items():
        for count in (64, 256):
            images, labels = batch_of(shape, in_a_row * count)

            def ways(network, threads, count=count, images=images, labels=labels):
                learning = {"loss": SoftmaxCrossEntropy(), "optimizer": SGD(network, RATE)}
                learning |= {"rng": np.random.default_rng(0), "batch_size": count}
                learning |= {"progress": False, "threads": threads}
                return lambda: fit(network, images, labels, **learning)

            times = least(
                {f"{n} threads": ways(built(make, fast), n) for n in (1, 2)},
                seconds,
                clock=time.perf_counter,
            )
            ms = {way: round(taken / in_a_row, 3) for way, taken in times.items()}
            found.append({"network": make.__name__, "batch": count, "ms": ms})
            print(found[-1], flush=True)
    return found


# ---------------------------------------------------------------- all of it


def machine():
    import threadpoolctl
    import torch

    cpu = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        said = dict(
            (part.strip() for part in line.split(":", 1))
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if ":" in line
        )
        cpu = f"{said.get('model name', cpu)}, family {said.get('cpu family')}, model {said.get('model')}"
    blas = next(
        p
        for p in threadpoolctl.threadpool_info()
        if p["user_api"] == "blas" and "numpy" in p["filepath"]
    )
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "blas": f"{blas['internal_api']} {blas['version']}, kernel {blas['architecture']}",
        "threads": 1,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "numpy": np.__version__,
        "torch": torch.__version__,
    }


PARTS = {
    "steps": steps,
    "layers": each_layer,
    "growth": growth,
    "memory": memory,
    "threads": threads,
    "fashion": fashion,
}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help="all of them if none is named")
    parser.add_argument("--seconds", type=float, default=6, help="for each network and batch (6)")
    parser.add_argument("--peak", metavar="WAY", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peak:
        peak(options.peak)
        return
    for name in options.parts or PARTS:
        print(f"\n{name}", flush=True)
        try:
            found = PARTS[name](options.seconds)
        except datasets.DataError as error:
            print(error)
            continue
        results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
        results[name] = {"machine": machine(), "found": found}
        RESULTS.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
