"""Optimizers: how far each weight moves, given its gradient."""

import numpy as np

from cnnlib.layers import parameters

__all__ = ["SGD", "Adam", "Optimizer"]


class Optimizer:
    """Moves the weights of a network against their gradients.

    After ``network.backward(dy)``, ``optimizer.step()`` gives each weight array a new value. The
    arrays are replaced, not changed in place.

    Parameters
    ----------
    network : layer
        A layer or a network, the learner's own or the course's: anything that
        `cnnlib.layers.parameters` can list.
    learning_rate : float
        It may be changed between two steps.

    Raises
    ------
    ValueError
        When the network has nothing to learn, or a setting is out of its range.
    """

    def __init__(self, network, learning_rate: float):
        if not learning_rate > 0:
            raise ValueError(
                f"{type(self).__name__}: learning_rate is {learning_rate}, but must be above 0"
            )
        self.parameters = parameters(network)
        if not self.parameters:
            raise ValueError(
                f"{type(self).__name__}: {type(network).__name__} has nothing to learn; its layers "
                "must have W or b"
            )
        self.learning_rate = learning_rate
        self.steps = 0

    def step(self) -> None:
        """Move every weight once.

        Raises
        ------
        AttributeError
            When a gradient is missing: backward was not called, or it does not set it.
        ValueError
            When a gradient's shape is not its weight's.
        """
        # Every gradient is looked at before any weight moves, so an error leaves the network whole.
        gradients = [self._gradient(owner, name) for owner, name in self.parameters]
        self.steps += 1
        for index, ((owner, name), gradient) in enumerate(
            zip(self.parameters, gradients, strict=True)
        ):
            weight = getattr(owner, name)
            setattr(owner, name, weight - self.learning_rate * self.direction(index, gradient))

    def direction(self, index: int, gradient: np.ndarray) -> np.ndarray:
        """Return how weight array number `index` moves, for a learning rate of 1."""
        raise NotImplementedError

    def _gradient(self, owner, name) -> np.ndarray:
        layer, gradient = type(owner).__name__, getattr(owner, f"d{name}", None)
        if gradient is None:
            raise AttributeError(
                f"{type(self).__name__}.step: {layer} has no d{name}; call the network's backward "
                f"first, and let {layer}.backward set self.d{name}"
            )
        if np.shape(gradient) != np.shape(getattr(owner, name)):
            raise ValueError(
                f"{type(self).__name__}.step: {layer}.d{name} has shape {np.shape(gradient)}, but "
                f"must be {np.shape(getattr(owner, name))}, as {name}"
            )
        return gradient


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum.

    ``v ← momentum · v + gradient`` and ``weight ← weight − learning_rate · v``; v begins at 0.

    Parameters
    ----------
    network : layer
    learning_rate : float
    momentum : float
        From 0, which is plain gradient descent, to just below 1.

    Notes
    -----
    Polyak, "Some methods of speeding up the convergence of iteration methods" (1964), in the form
    that PyTorch uses: the learning rate stands outside v.

    Examples
    --------
    >>> from cnnlib.layers import Dense
    >>> dense = Dense(1, 1, rng=0)
    >>> dense.W, dense.dW, dense.db = np.array([[5.0]]), np.array([[2.0]]), np.array([0.0])
    >>> sgd = SGD(dense, learning_rate=0.1, momentum=0.9)
    >>> for _ in range(3):
    ...     sgd.step()
    ...     print(round(dense.W.item(), 3))
    4.8
    4.42
    3.878
    """

    def __init__(self, network, learning_rate: float = 0.01, momentum: float = 0.0):
        super().__init__(network, learning_rate)
        self.momentum = _share("SGD: momentum", momentum)
        self.velocity = [0.0] * len(self.parameters)

    def direction(self, index, gradient):
        if self.momentum:  # else two passes over every weight, for nothing
            gradient = self.momentum * self.velocity[index] + gradient
        self.velocity[index] = gradient
        return gradient


class Adam(Optimizer):
    """Adam: each weight has a pace of its own, from running means of its gradient and its square.

    ``m ← beta1 · m + (1 − beta1) · gradient`` and ``v ← beta2 · v + (1 − beta2) · gradient²``,
    both from 0. As they begin at 0 they are too small at first, so step t divides them by
    ``1 − beta1ᵗ`` and ``1 − beta2ᵗ``. Then
    ``weight ← weight − learning_rate · m̂ / (√v̂ + epsilon)``.

    Parameters
    ----------
    network : layer
    learning_rate : float
    beta1, beta2 : float
        From 0 to just below 1.
    epsilon : float
        Keeps the division away from 0.

    Notes
    -----
    Kingma and Ba, "Adam: A Method for Stochastic Optimization" (2015), algorithm 1.

    Examples
    --------
    The first step is as long as the learning rate, whatever the gradient:

    >>> from cnnlib.layers import Dense
    >>> dense = Dense(1, 1, rng=0)
    >>> dense.W, dense.dW, dense.db = np.array([[5.0]]), np.array([[200.0]]), np.array([0.0])
    >>> Adam(dense, learning_rate=0.1).step()
    >>> round(dense.W.item(), 6)
    4.9
    """

    def __init__(
        self,
        network,
        learning_rate: float = 1e-3,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
    ):
        super().__init__(network, learning_rate)
        self.beta1, self.beta2 = _share("Adam: beta1", beta1), _share("Adam: beta2", beta2)
        self.epsilon = epsilon
        self.m, self.v = [0.0] * len(self.parameters), [0.0] * len(self.parameters)

    def direction(self, index, gradient):
        self.m[index] = self.beta1 * self.m[index] + (1 - self.beta1) * gradient
        self.v[index] = self.beta2 * self.v[index] + (1 - self.beta2) * gradient**2
        m = self.m[index] / (1 - self.beta1**self.steps)
        v = self.v[index] / (1 - self.beta2**self.steps)
        return m / (np.sqrt(v) + self.epsilon)


def _share(what: str, value: float) -> float:
    if not 0 <= value < 1:
        raise ValueError(f"{what} is {value}, but must be at least 0 and below 1")
    return value
