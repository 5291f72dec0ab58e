"""How long one training step takes: the course's layers, the fast ones, and PyTorch.

A step is forward, loss, backward and plain gradient descent, on 64 pictures, on one thread. All
take turns in one process, so that whatever else the machine does slows them alike, and the quickest
of many turns counts. PyTorch is left out where it isn't installed.
"""

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # BLAS reads it when NumPy is imported

import time

import networks
import numpy as np

from cnnlib import fast, layers
from cnnlib.losses import SoftmaxCrossEntropy
from cnnlib.network import Sequential
from cnnlib.optimizers import SGD

try:
    import torch
except ImportError:
    torch = None

BATCH, TURNS, RATE = 64, 200, 0.01
COLUMNS = ["PyTorch", "PyTorch, channels_last", "cnnlib.layers", "cnnlib.fast"]


def numpy_step(network, images, labels):
    """Return a function that trains the network for one step and returns the loss."""
    loss, optimizer = SoftmaxCrossEntropy(), SGD(network, RATE)

    def step():
        value = loss.forward(network.forward(images), labels)
        network.backward(loss.backward())
        optimizer.step()
        return value

    return step


def torch_step(network, images, labels, memory_format):
    """Return the same for a network in PyTorch with the same weights."""
    twin = torch.nn.Sequential(*map(in_torch, network.layers)).to(memory_format=memory_format)
    images = torch.tensor(images).to(memory_format=memory_format)
    labels = torch.tensor(labels)
    optimizer = torch.optim.SGD(twin.parameters(), RATE)

    def step():
        optimizer.zero_grad()
        value = torch.nn.functional.cross_entropy(twin(images), labels)
        value.backward()
        optimizer.step()
        return value.item()

    return step


def in_torch(layer):
    """Return PyTorch's layer for one of ours, with the same weights."""
    match type(layer).__name__:
        case "Conv2D":
            twin = torch.nn.Conv2d(
                layer.in_channels, layer.out_channels, layer.kernel_size, padding=layer.padding
            )
            weights = layer.W
        case "Dense":
            twin, weights = torch.nn.Linear(*layer.W.shape), layer.W.T
        case "MaxPool2D":
            return torch.nn.MaxPool2d(layer.kernel_size, layer.stride)
        case "ReLU":
            return torch.nn.ReLU()
        case "Flatten":
            return torch.nn.Flatten()
    twin.weight.data = torch.tensor(np.ascontiguousarray(weights, np.float32))
    twin.bias.data = torch.tensor(layer.b.astype(np.float32))
    return twin


def milliseconds(make):
    """Return, for each column, the quickest step of the network that `make` makes."""
    rng = np.random.default_rng(0)
    images = rng.random((BATCH, 1, 28, 28), np.float32)
    labels = rng.integers(0, 10, BATCH)

    def network(module):
        return Sequential(make(module, np.random.default_rng(1)))

    steps = {
        f"cnnlib.{name}": numpy_step(network(module), images, labels)
        for name, module in (("layers", layers), ("fast", fast))
    }
    if torch is not None:
        torch.set_num_threads(1)
        for name, memory_format in zip(
            COLUMNS, (torch.contiguous_format, torch.channels_last), strict=False
        ):
            steps[name] = torch_step(network(layers), images, labels, memory_format)
    losses = [[step() for _ in range(5)] for step in steps.values()]
    np.testing.assert_allclose(losses, losses[:1] * len(losses), rtol=1e-4)  # they learn the same

    best = dict.fromkeys(steps, np.inf)
    for _ in range(TURNS):
        for name, step in steps.items():
            begin = time.perf_counter()
            step()
            best[name] = min(best[name], time.perf_counter() - begin)
    return {name: 1000 * seconds for name, seconds in best.items()}


def main():
    print("| network |", " | ".join(COLUMNS), "|")
    print("|---" * (len(COLUMNS) + 1) + "|")
    for make in (networks.two_convolutions, networks.lenet, networks.fashion):
        times = milliseconds(make)
        cells = []
        for name in COLUMNS:
            cell = f"{times[name]:.2f}" if name in times else "–"
            if torch is not None:
                cell += f" ({times[name] / times['PyTorch']:.2f})"
            cells.append(cell)
        print(f"| {make.__name__} |", " | ".join(cells), "|", flush=True)


if __name__ == "__main__":
    main()
