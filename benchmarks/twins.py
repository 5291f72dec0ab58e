"""The same networks in PyTorch, on one thread, with the same weights."""

import time

import numpy as np
import torch
from networks import fashion

from cnnlib import layers
from cnnlib.network import Sequential
from cnnlib.training import minibatches, warm_up_and_decay

torch.set_num_threads(1)


def twin(layer):
    """Return PyTorch's layer for one of ours."""
    match type(layer).__name__:
        case "Conv2D":
            same = torch.nn.Conv2d(
                layer.in_channels,
                layer.out_channels,
                layer.kernel_size,
                stride=layer.stride,
                padding=layer.padding,
            )
            weights = layer.W
        case "Dense":
            same, weights = torch.nn.Linear(*layer.W.shape), layer.W.T
        case "MaxPool2D":
            return torch.nn.MaxPool2d(layer.kernel_size, layer.stride)
        case "AvgPool2D":
            return torch.nn.AvgPool2d(layer.kernel_size, layer.stride)
        case "ReLU":
            return torch.nn.ReLU()
        case "Flatten":
            return torch.nn.Flatten()
    same.weight.data = torch.tensor(np.ascontiguousarray(weights, np.float32))
    same.bias.data = torch.tensor(layer.b.astype(np.float32))
    return same


def network_of(network, memory_format="contiguous_format"):
    same = torch.nn.Sequential(*map(twin, network.layers))
    return same.to(memory_format=getattr(torch, memory_format))


def step(network, images, labels, rate, memory_format):
    """Return a function that trains the twin of a network for one step and returns the loss."""
    same = network_of(network, memory_format)
    images = torch.tensor(images).to(memory_format=getattr(torch, memory_format))
    labels, optimizer = torch.tensor(labels), torch.optim.SGD(same.parameters(), rate)

    def one():
        optimizer.zero_grad()
        value = torch.nn.functional.cross_entropy(same(images), labels)
        value.backward()
        optimizer.step()
        return value.item()

    return one


def there_and_back(layer, x):
    """Return PyTorch's ways through one layer: forward, then the gradients of x and of the weights."""
    ways = {}
    for name, order in (
        ("PyTorch", "contiguous_format"),
        ("PyTorch, channels_last", "channels_last"),
    ):
        if x.ndim != 4 and order == "channels_last":
            continue
        same, order = twin(layer), getattr(torch, order)
        images = torch.tensor(x)
        if x.ndim == 4:
            same, images = same.to(memory_format=order), images.to(memory_format=order)
        images.requires_grad_()
        dy = torch.ones_like(same(images))

        def way(same=same, images=images, dy=dy):
            images.grad = None
            same.zero_grad()
            same(images).backward(dy)

        ways[name] = way
    return ways


def train(data, seed, batch_size, *, epochs, peak):
    """Train the twin of networks.fashion as benchmarks/training.py trains ours; return the same."""
    images = torch.tensor(data.train_images / np.float32(data.max_value))
    labels = torch.tensor(data.train_labels)
    rng = np.random.default_rng(seed)
    network = network_of(Sequential(fashion(layers, rng)))
    steps = epochs * -(-len(images) // batch_size)
    adam = torch.optim.Adam(network.parameters())
    wall, cpu = time.perf_counter(), time.process_time()
    done = 0
    for _ in range(epochs):
        for batch in minibatches(len(images), batch_size, rng):
            adam.param_groups[0]["lr"] = warm_up_and_decay(done, steps, peak)
            adam.zero_grad()
            scores = network(images[torch.from_numpy(batch)])
            torch.nn.functional.cross_entropy(scores, labels[torch.from_numpy(batch)]).backward()
            adam.step()
            done += 1
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    with torch.no_grad():
        scores = network(torch.tensor(data.test_images / np.float32(data.max_value)))
    right = scores.argmax(dim=1).numpy() == data.test_labels
    return float(right.mean()), wall, cpu
