"""Record what PyTorch computes, for the tests to compare with where PyTorch isn't installed.

    python tools/record_pytorch.py        needs PyTorch: pip install -e '.[torch]'

It writes tests/pytorch.npz. With PyTorch installed, the tests also compute each case anew, and say
so where the record has drifted. Inputs are quarters, so that they are the same in float32, and so
that a sum of products is the same in whatever order it is added up.
"""

import json
import sys
from itertools import product
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

RECORD = Path(__file__).parents[1] / "tests" / "pytorch.npz"


def cases() -> dict[str, dict]:
    """The settings of each case, by its name; its arrays are drawn from them."""
    found = {}

    def add(kind: str, name: str = "", **settings) -> None:
        words = ", ".join(f"{key} {value}" for key, value in settings.items())
        found[f"{kind}: {name or words}"] = {"kind": kind, **settings}

    # Lengths that all differ, with and without a rest, as each stride and padding allows.
    for stride, padding in product((1, 2, 3), (0, 1, 2)):
        add("conv", x=[2, 3, 9, 8], F=4, kernel_size=[2, 5], stride=stride, padding=padding)
    add("conv", x=[17, 5, 6, 7], F=3, kernel_size=[4, 2], stride=2, padding=1)
    add("conv", "a batch of one", x=[1, 2, 5, 4], F=4, kernel_size=[3, 3], stride=1, padding=0)
    add("conv", "a batch of none", x=[0, 3, 7, 6], F=4, kernel_size=[2, 4], stride=1, padding=0)
    for kernel, stride, padding in [(1, 1, 0), (3, 1, 1), (1, 2, 2), (2, 1, 2), (3, 2, 3)]:
        words = f"maps of one pixel, kernel {kernel}, stride {stride}, padding {padding}"
        sizes = {"kernel_size": [kernel, kernel], "stride": stride, "padding": padding}
        add("conv", words, x=[3, 2, 1, 1], F=4, **sizes)
    add("conv", "as large as the map", x=[2, 3, 4, 5], F=4, kernel_size=[4, 5], stride=1, padding=0)
    add("conv", "larger than the map", x=[2, 3, 4, 5], F=4, kernel_size=[6, 7], stride=3, padding=1)
    add(
        "conv", "rows between windows", x=[2, 3, 7, 6], F=4, kernel_size=[1, 4], stride=5, padding=2
    )
    for pool, (x, kernel_size, stride) in product(
        ("maxpool", "avgpool"),
        [
            ([2, 3, 9, 8], [2, 5], [1, 1]),
            ([2, 3, 9, 8], [5, 2], [2, 2]),
            ([17, 2, 9, 7], [3, 3], [2, 1]),
            ([1, 3, 4, 5], [2, 2], [2, 2]),  # a column that no window reaches
            ([2, 3, 1, 1], [1, 1], [1, 1]),
            ([2, 3, 5, 8], [1, 2], [2, 3]),  # pixels between the windows
        ],
    ):
        add(pool, x=x, kernel_size=kernel_size, stride=stride)
    for highest in (0, 3):
        settings = {"x": [4, 3, 8, 7], "kernel_size": [2, 3], "stride": [1, 1]}
        add("maxpool", f"ties, from {highest - 2} to {highest}", highest=highest, **settings)
    for x in ([2, 3, 5, 4], [6, 3, 1, 1], [2, 3, 5], [7, 2]):
        add("flatten", x=x)
    add("dense", x=[5, 7], K=3)
    add("dense", x=[1, 4], K=2)
    add("dense", x=[0, 4], K=3)
    for x in ([2, 3, 5, 4], [7, 6], [9], []):
        add("relu", x=x)
    for (N, K), scale in zip([(5, 3), (1, 7), (6, 1), (2, 10)], (1, 50, 1e4, 1), strict=True):
        add("loss", N=N, K=K, scale=scale)
    add("network", x=[6, 2, 9, 13])
    add("sgd", learning_rate=0.07)
    add("sgd", learning_rate=0.03, momentum=0.9)
    add("adam", learning_rate=0.02)
    add("adam", learning_rate=0.02, beta1=0.5, beta2=0.8, epsilon=1e-3)
    return found


def quarters(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.integers(-8, 9, size=shape) / 4


def gradients(function, rng, **inputs: np.ndarray) -> dict[str, np.ndarray]:
    """What goes in, what `function` of it is, and its gradients for a dy that is drawn."""
    tensors = {name: torch.tensor(a, requires_grad=True) for name, a in inputs.items()}
    y = function(*tensors.values())
    dy = quarters(rng, *y.shape)
    y.backward(torch.tensor(dy))
    found = {f"d{name}": tensor.grad.numpy() for name, tensor in tensors.items()}
    return inputs | {"dy": dy, "y": y.detach().numpy()} | found


def of_conv(rng, *, x, F: int, kernel_size, stride, padding):
    return gradients(
        lambda x, W, b: torch.nn.functional.conv2d(x, W, b, stride=stride, padding=padding),
        rng,
        x=quarters(rng, *x),
        W=quarters(rng, F, x[1], *kernel_size),
        b=quarters(rng, F),
    )


def of_maxpool(rng, *, x, kernel_size, stride, highest=None):
    drawn = rng.permutation(np.prod(x)).reshape(x) / 4.0
    if highest is not None:
        drawn = rng.integers(highest - 2, highest + 1, size=x) - 1.0
    return gradients(lambda x: F.max_pool2d(x, kernel_size, stride), rng, x=drawn)


def of_avgpool(rng, *, x, kernel_size, stride):
    return gradients(lambda x: F.avg_pool2d(x, kernel_size, stride), rng, x=quarters(rng, *x))


def of_flatten(rng, *, x):
    return gradients(lambda x: torch.flatten(x, 1), rng, x=quarters(rng, *x))


def of_dense(rng, *, x, K):
    W, b = quarters(rng, x[1], K), quarters(rng, K)
    return gradients(lambda x, W, b: x @ W + b, rng, x=quarters(rng, *x), W=W, b=b)


def of_relu(rng, *, x):
    return gradients(F.relu, rng, x=quarters(rng, *x))


def of_loss(rng, *, N, K, scale):
    logits, labels = scale * rng.normal(size=(N, K)), rng.integers(K, size=N)
    tensor = torch.tensor(logits, requires_grad=True)
    loss = F.cross_entropy(tensor, torch.tensor(labels))
    loss.backward()
    found = {"loss": loss.detach().numpy(), "dlogits": tensor.grad.numpy()}
    return {"logits": logits, "labels": labels, **found}


def of_network(rng, *, x):
    """A loss, and the gradients of the pictures and of all weights; Linear's W as (D, K)."""
    net = torch.nn.Sequential(
        torch.nn.Conv2d(2, 3, (2, 4), stride=1, padding=1),
        torch.nn.ReLU(),
        torch.nn.MaxPool2d((3, 2), stride=2),
        torch.nn.Conv2d(3, 4, (1, 2), stride=2),
        torch.nn.AvgPool2d(2, stride=1),
        torch.nn.Flatten(),
        torch.nn.Linear(8, 5),
    ).double()
    with torch.no_grad():
        for weight in net.parameters():
            weight.copy_(torch.tensor(quarters(rng, *weight.shape) / 4))
    images, labels = rng.permutation(np.prod(x)).reshape(x) / 1024, rng.integers(5, size=x[0])
    tensor = torch.tensor(images, requires_grad=True)
    loss = F.cross_entropy(net(tensor), torch.tensor(labels))
    loss.backward()
    found = {"x": images, "labels": labels, "loss": loss.detach().numpy()}
    found["dx"] = tensor.grad.numpy()
    for place, layer in enumerate(layer for layer in net if hasattr(layer, "weight")):
        turned = layer.weight.T if layer is net[-1] else layer.weight
        dturned = layer.weight.grad.T if layer is net[-1] else layer.weight.grad
        found |= {f"W{place}": turned.detach().numpy(), f"b{place}": layer.bias.detach().numpy()}
        found |= {f"dW{place}": dturned.numpy(), f"db{place}": layer.bias.grad.numpy()}
    return found


def steps(rng, make) -> dict[str, np.ndarray]:
    """Weights, the gradients of twenty steps, and the weights after each of them."""
    weights = rng.normal(size=(4, 3))
    gradient = rng.normal(size=(20, 4, 3)) * 10 ** rng.uniform(-3, 3, size=(20, 1, 1))
    tensor, after = torch.tensor(weights, requires_grad=True), []
    optimizer = make([tensor])
    for each in gradient:
        tensor.grad = torch.tensor(each)
        optimizer.step()
        after.append(tensor.detach().numpy().copy())
    return {"weights": weights, "gradients": gradient, "after": np.array(after)}


def of_sgd(rng, *, learning_rate, momentum=0):
    return steps(rng, lambda w: torch.optim.SGD(w, lr=learning_rate, momentum=momentum))


def of_adam(rng, *, learning_rate, beta1=0.9, beta2=0.999, epsilon=1e-8):
    return steps(
        rng, lambda w: torch.optim.Adam(w, lr=learning_rate, betas=(beta1, beta2), eps=epsilon)
    )


def compute() -> dict[str, dict[str, np.ndarray]]:
    """The arrays of every case, as the installed PyTorch computes them."""
    found = {}
    for name, settings in cases().items():
        rng = np.random.default_rng(0)
        kind, settings = settings["kind"], {k: v for k, v in settings.items() if k != "kind"}
        found[name] = globals()[f"of_{kind}"](rng, **settings)
    return found


def main() -> int:
    arrays = {
        f"{case}/{name}": np.array(array, order="C")
        for case, found in compute().items()
        for name, array in found.items()
    }
    np.savez_compressed(
        RECORD, cases=json.dumps(cases()), pytorch=torch.__version__.split("+")[0], **arrays
    )
    print(f"{RECORD.name}: {len(cases())} cases by PyTorch {torch.__version__}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
