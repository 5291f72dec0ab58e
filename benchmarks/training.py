"""How well a network learns, and how long that takes: `python benchmarks/training.py [PART ...]`.

full     Fashion-MNIST, all 60,000 pictures, on the fast layers (run `cnnlib data fetch` before)
choose   which epochs and rate `full` should take, by pictures kept back from its training
subset   its shipped 10,000 pictures, on the fast layers and on those of cnnlib.layers
digits   the 8×8 digits, on layers with loops
forecast what an epoch of the shipped pictures would take on layers of each kind: one step, multiplied
"""

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # BLAS reads it when NumPy is imported

import argparse
import time
from dataclasses import replace
from itertools import product

import loops
import networks
import numpy as np

from cnnlib import datasets, fast, layers
from cnnlib.losses import SoftmaxCrossEntropy
from cnnlib.optimizers import Adam
from cnnlib.training import accuracy, fit, warm_up_and_decay

BATCH = 64
TO_90_PERCENT = {"epochs": 2, "peak": 1.2e-2}  # what `choose` found to be the shortest way


def train(make, module, data, *, seed, epochs, peak):
    """Train a new network; return its test accuracy, and the wall and CPU seconds of the training."""
    images = data.train_images / np.float32(data.max_value)
    rng = np.random.default_rng(seed)
    network = networks.built(make, module, rng)
    steps = epochs * -(-len(images) // BATCH)
    adam = Adam(network, warm_up_and_decay(0, steps, peak))

    def next_rate(history):
        adam.learning_rate = warm_up_and_decay(len(history.losses), steps, peak)

    wall, cpu = time.perf_counter(), time.process_time()
    fit(
        network,
        images,
        data.train_labels,
        loss=SoftmaxCrossEntropy(),
        optimizer=adam,
        rng=rng,
        epochs=epochs,
        batch_size=BATCH,
        progress=False,
        after_step=next_rate,
    )
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return (
        accuracy(network, data.test_images / np.float32(data.max_value), data.test_labels),
        wall,
        cpu,
    )


def rows(make, modules, data, *, seeds, epochs, peak):
    """Print a table with a row for each kind of layers and each seed."""
    print(
        "| layers | epochs | rate | seed | accuracy | wall s | CPU s |\n|---|---|---|---|---|---|---|"
    )
    for name, module in modules.items():
        for seed in seeds:
            score, wall, cpu = train(make, module, data, seed=seed, epochs=epochs, peak=peak)
            print(
                f"| {name} | {epochs} | {peak} | {seed} | {score:.3f} | {wall:.1f} | {cpu:.1f} |",
                flush=True,
            )


def full():
    data = datasets.load_fashion_mnist(full=True)
    rows(networks.fashion, {"cnnlib.fast": fast}, data, seeds=range(5), **TO_90_PERCENT)


def choose():
    data = datasets.load_fashion_mnist(full=True)
    kept_back = replace(
        data,
        train_images=data.train_images[:50_000],
        train_labels=data.train_labels[:50_000],
        test_images=data.train_images[50_000:],
        test_labels=data.train_labels[50_000:],
    )
    for epochs, peak in product((2, 3), (6e-3, 9e-3, 1.2e-2)):
        kinds = {"cnnlib.fast": fast}
        rows(networks.fashion, kinds, kept_back, seeds=(10, 11), epochs=epochs, peak=peak)


def subset():
    kinds = {"cnnlib.fast": fast, "cnnlib.layers": layers}
    data = datasets.load_fashion_mnist()
    rows(networks.fashion, kinds, data, seeds=range(3), epochs=3, peak=6e-3)


KINDS = {
    "seven loops": loops.SevenLoops,
    "four loops": loops.FourLoops,
    "cnnlib.layers": layers,
    "cnnlib.fast": fast,
}


def digits():
    rows(networks.digits, KINDS, datasets.load_digits(), seeds=range(2), epochs=5, peak=2e-2)


def forecast():
    """Print what a step of each kind of layers takes, the least of three, and an epoch of such steps."""
    data = datasets.load_fashion_mnist()
    x, labels = data.train_images[:BATCH] / np.float32(255), data.train_labels[:BATCH]
    steps = -(-len(data.train_images) // BATCH)
    print(f"| layers | one step, CPU s | an epoch, {steps} steps, CPU s |\n|---|---|---|")
    for name, module in KINDS.items():
        network = networks.built(networks.fashion, module, np.random.default_rng(0))
        loss = SoftmaxCrossEntropy()
        times = []
        for _ in range(3):
            begin = time.process_time()
            loss.forward(network.forward(x), labels)
            network.backward(loss.backward())
            times.append(time.process_time() - begin)
        print(f"| {name} | {min(times):.3g} | {steps * min(times):.3g} |", flush=True)


PARTS = {part.__name__: part for part in (full, choose, subset, digits, forecast)}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help="all of them if none is named")
    for name in parser.parse_args().parts or PARTS:
        print(f"\n{name}\n")
        try:
            PARTS[name]()
        except datasets.DataError as error:
            print(error)


if __name__ == "__main__":
    main()
