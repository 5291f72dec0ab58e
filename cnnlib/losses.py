"""The loss: one number that says how wrong the network's scores are."""

import numpy as np

__all__ = ["SoftmaxCrossEntropy"]


class SoftmaxCrossEntropy:
    """Turn scores into probabilities, and say how little of it the right classes got.

    ``p = exp(logits) / Σ exp(logits)`` over the classes, and the loss is the mean over the batch
    of −log p[n, labels[n]]. The maximum of each row is subtracted first, which changes no
    probability and lets no exponential overflow.

    Notes
    -----
    The gradient of the loss by the logits is (p − one-hot(labels)) / N: see Goodfellow, Bengio and
    Courville, *Deep Learning* (2016), section 6.2.2.3.

    Examples
    --------
    A blind guess among ten classes costs ln 10:

    >>> loss = SoftmaxCrossEntropy()
    >>> round(loss.forward(np.zeros((4, 10)), np.array([3, 1, 4, 1])), 4)
    2.3026
    >>> loss.backward()[0].round(3)
    array([ 0.025,  0.025,  0.025, -0.225,  0.025,  0.025,  0.025,  0.025,
            0.025,  0.025])
    """

    p = None
    """The probabilities (N, K) of the last forward; None before the first."""

    def forward(self, logits, labels):
        """Return the mean loss of a batch.

        Parameters
        ----------
        logits : array of floats, shape (N, K)
            A score for each class; the higher, the likelier.
        labels : array of integers, shape (N,)
            The right class of each sample, from 0 to K − 1.

        Returns
        -------
        float

        Raises
        ------
        TypeError
            When logits are not floats, or labels not integers.
        ValueError
            When a shape does not fit, the batch is empty, or a label is out of range.
        """
        logits, labels = _checked(logits, labels)
        shifted = logits - logits.max(axis=1, keepdims=True)
        log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        self.p, self.labels = np.exp(log_p), labels
        return float(-log_p[np.arange(len(labels)), labels].mean())

    def backward(self):
        """Return dlogits (N, K), the gradient of the mean loss, in the dtype of the logits."""
        if self.p is None:
            raise RuntimeError(
                "SoftmaxCrossEntropy.backward: there was no forward yet; "
                "call forward(logits, labels) first"
            )
        N = len(self.labels)
        dlogits = self.p.copy()
        dlogits[np.arange(N), self.labels] -= 1
        return dlogits / N


def _checked(logits, labels):
    where = "SoftmaxCrossEntropy.forward"
    logits, labels = np.asarray(logits), np.asarray(labels)
    if logits.dtype.kind != "f":
        raise TypeError(
            f"{where}: logits hold {logits.dtype}, but must hold floats: the scores as they leave "
            "the last Dense layer"
        )
    if logits.ndim != 2 or 0 in logits.shape:
        raise ValueError(
            f"{where}: logits has shape {logits.shape}, but must be (N, K): "
            "a row for each sample, at least one, and a column for each class"
        )
    N, K = logits.shape
    if labels.shape == (N, K):
        raise ValueError(
            f"{where}: labels has shape {labels.shape}, like the logits, but must be ({N},): "
            "the number of the right class; if labels are one-hot, use labels.argmax(axis=1)"
        )
    if labels.shape != (N,):
        raise ValueError(
            f"{where}: labels has shape {labels.shape} but logits {logits.shape}, "
            f"so labels must be ({N},): the number of the right class for each sample"
        )
    if labels.dtype.kind not in "iu":
        raise TypeError(
            f"{where}: labels hold {labels.dtype}, but must hold integers, the numbers of classes; "
            "if they are whole numbers, use labels.astype(int)"
        )
    wrong = (labels < 0) | (labels >= K)
    if wrong.any():
        n = wrong.argmax()
        raise ValueError(
            f"{where}: labels[{n}] is {labels[n]}, but logits have {K} classes, so labels must be "
            f"from 0 to {K - 1}; do they start at 1, or is the last layer too narrow?"
        )
    return logits, labels
