"""Looking inside: each picture is what a slower, plainer way of getting it says."""

import copy

import numpy as np
import pytest

from cnnlib.gradcheck import numerical_gradient
from cnnlib.inside import confusion_matrix, feature_maps, occlusion, probabilities, saliency
from cnnlib.layers import Conv2D, Dense, Flatten, MaxPool2D, ReLU, parameters
from cnnlib.network import Sequential


def small_network():
    rng = np.random.default_rng(1)
    return Sequential(
        [
            Conv2D(3, 4, (2, 3), rng=rng),
            ReLU(),
            MaxPool2D(2),
            Flatten(),
            Dense(24, 5, rng=rng),
        ]
    )


@pytest.fixture
def images():
    return np.random.default_rng(0).normal(size=(2, 3, 5, 8))


CLASSES = np.array([3, 1])


def test_feature_maps_are_what_each_layer_hands_on(images):
    network = small_network()
    maps = feature_maps(network, images)
    assert [name for name, _ in maps] == ["Conv2D", "ReLU", "MaxPool2D", "Flatten", "Dense"]
    assert np.array_equal(maps[0][1], network.layers[0].forward(images))
    assert np.array_equal(maps[-1][1], network.forward(images))
    for (_, before), (_, after), layer in zip(maps, maps[1:], network.layers[1:], strict=False):
        assert np.array_equal(layer.forward(before), after)


def test_feature_maps_of_a_single_layer_say_what_to_do(images):
    with pytest.raises(TypeError, match=r"Sequential\(\[layer\]\)"):
        feature_maps(Flatten(), images)


def test_probabilities_are_the_softmax_of_the_scores(images):
    network = small_network()
    p = probabilities(network, images)
    expected = np.exp(network.forward(images))
    assert np.allclose(p, expected / expected.sum(axis=1, keepdims=True))
    assert p.shape == (2, 5)


def test_probabilities_survive_large_scores_and_many_pictures():
    scores = np.zeros((1203, 2))
    scores[:, 1] = 10_000
    p = probabilities(Sequential([]), scores)
    assert p.shape == (1203, 2)
    assert np.array_equal(p, np.broadcast_to([0.0, 1.0], (1203, 2)))
    assert probabilities(Sequential([]), np.zeros((0, 4))).shape == (0, 4)


def test_saliency_is_what_nudging_each_pixel_gives(images):
    network = small_network()

    def score(x):
        return float(network.forward(x)[[0, 1], CLASSES].sum())

    by_hand = np.abs(numerical_gradient(score, images)).max(axis=1)
    assert np.allclose(saliency(network, images, CLASSES), by_hand, atol=1e-7)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_saliency_keeps_dtype_images_and_weights(images, dtype):
    network, images = small_network(), images.astype(dtype)
    before, pictures = copy.deepcopy(network), images.copy()
    found = saliency(network, images, CLASSES)
    assert found.dtype == dtype
    assert found.shape == (2, 5, 8)
    assert found.min() >= 0
    assert np.array_equal(images, pictures)
    for (one, name), (other, _) in zip(parameters(network), parameters(before), strict=True):
        assert np.array_equal(getattr(one, name), getattr(other, name))


def test_each_picture_has_a_saliency_of_its_own(images):
    network = small_network()
    together = saliency(network, images, CLASSES)
    for n in range(2):
        alone = saliency(network, images[n : n + 1], CLASSES[n : n + 1])
        assert np.allclose(together[n], alone[0])


def occluded_by_hand(network, images, classes, size, places, fill):
    """Pixel by pixel: the mean over the patches that reach it."""
    N, _, H, W = images.shape
    result = np.zeros((N, H, W))
    for n, h, w in np.ndindex(N, H, W):
        falls = []
        for i, j in places:
            if i <= h < i + size and j <= w < j + size:
                covered = images[n : n + 1].copy()
                covered[0, :, i : i + size, j : j + size] = fill
                falls.append(network.forward(images[n : n + 1]) - network.forward(covered))
        result[n, h, w] = np.mean([fall[0, classes[n]] for fall in falls])
    return result


@pytest.mark.parametrize(
    ("size", "stride", "fill", "rows", "columns"),
    [
        (3, 2, 0.0, [0, 2], [0, 2, 4, 5]),  # the last patch is pushed back to the edge
        (2, 2, -1.5, [0, 2, 3], [0, 2, 4, 6]),
        (5, 1, 0.5, [0], [0, 1, 2, 3]),
    ],
)
def test_occlusion_is_the_mean_fall_over_the_patches_that_cover_a_pixel(
    images, size, stride, fill, rows, columns
):
    network, before = small_network(), images.copy()
    found = occlusion(network, images, CLASSES, size, stride, fill)
    places = [(i, j) for i in rows for j in columns]
    by_hand = occluded_by_hand(network, images, CLASSES, size, places, fill)
    assert np.allclose(found, by_hand)
    assert np.array_equal(images, before)


def test_occlusion_keeps_float32(images):
    found = occlusion(small_network(), images.astype(np.float32), CLASSES, 2, 1)
    assert found.dtype == np.float32


@pytest.mark.parametrize(("size", "stride"), [(6, 1), (2, 3), (2, 0), (0, 0)])
def test_patches_that_leave_pixels_out_are_refused(images, size, stride):
    with pytest.raises(ValueError, match="leave no pixel out"):
        occlusion(small_network(), images, CLASSES, size, stride)


@pytest.mark.parametrize("function", [saliency, lambda *args: occlusion(*args, 2, 1)])
@pytest.mark.parametrize(
    ("classes", "error", "says"),
    [
        ([1, 2, 3], ValueError, r"classes has shape \(3,\), but there are 2 pictures"),
        (1, ValueError, r"np.full\(2, class\)"),
        ([0, 5], ValueError, r"classes\[1\] is 5, but there are 5 classes"),
        ([-1, 0], ValueError, r"classes\[0\] is -1"),
        ([0.0, 1.0], TypeError, "holds float64"),
        ([True, False], TypeError, "holds bool"),
    ],
)
def test_classes_that_do_not_fit_are_refused(images, function, classes, error, says):
    with pytest.raises(error, match=says):
        function(small_network(), images, classes)


def test_a_network_that_returns_no_scores_is_refused(images):
    with pytest.raises(ValueError, match="does it end with a Dense layer"):
        saliency(ReLU(), images, CLASSES)


def test_the_confusion_matrix_counts_pairs():
    rng = np.random.default_rng(2)
    labels, predictions = rng.integers(0, 4, size=(2, 60))
    matrix = confusion_matrix(labels, predictions, 5)
    assert matrix.shape == (5, 5)
    assert matrix.dtype.kind == "i"
    for true, predicted in np.ndindex(5, 5):
        assert matrix[true, predicted] == ((labels == true) & (predictions == predicted)).sum()


@pytest.mark.parametrize("dtype", [np.uint8, np.int8])
def test_small_integers_do_not_overflow(dtype):
    labels = np.array([99], dtype)
    assert confusion_matrix(labels, labels, 100)[99, 99] == 1


@pytest.mark.parametrize(
    ("labels", "predictions", "error", "says"),
    [
        ([0, 1], [0], ValueError, "both must be"),
        ([0, 1], [[0.1, 0.9], [0.2, 0.8]], ValueError, "argmax"),
        ([0, 3], [0, 1], ValueError, r"labels\[1\] is 3, but there are 3 classes"),
        ([0, 1], [0, -1], ValueError, r"predictions\[1\] is -1"),
        ([0.0, 1.0], [0, 1], TypeError, "integers"),
    ],
)
def test_labels_that_do_not_fit_are_refused(labels, predictions, error, says):
    with pytest.raises(error, match=says):
        confusion_matrix(labels, predictions, 3)


def test_no_pictures_give_a_matrix_of_zeros():
    assert not confusion_matrix([], [], 2).any()
