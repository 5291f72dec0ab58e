"""The shipped pictures are the chosen originals; the full Fashion-MNIST comes whole or not at all."""

import doctest
import gzip
import hashlib
import importlib.util
import os
import struct
import subprocess
import sys
import threading
import zipfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from cnnlib import datasets
from cnnlib.datasets import DataError, _fetch, _packed

ROOT = Path(__file__).parent.parent
PACKAGE = Path(datasets.__file__).parent
ORIGINALS = Path(os.environ.get("CNNLIB_FASHION_ORIGINALS") or "/usr/share/datasets/fashion-mnist")

needs_originals = pytest.mark.skipif(
    not any(ORIGINALS.glob("train-images-idx3-ubyte*")),
    reason=f"no original Fashion-MNIST in {ORIGINALS}; CNNLIB_FASHION_ORIGINALS may name a folder",
)


def script():
    path = ROOT / "tools" / "make_datasets.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def numbered(labels, first, last):
    """Say where the pictures numbered first to last − 1 of each class are, one at a time."""
    seen = dict.fromkeys(range(10), 0)
    chosen = []
    for position, label in enumerate(labels.tolist()):
        if first <= seen[label] < last:
            chosen.append(position)
        seen[label] += 1
    return chosen


# What is shipped


@pytest.mark.parametrize(
    "load, train, test, side, top, first",
    [
        (datasets.load_digits, 140, 34, 8, 16, "0"),
        (datasets.load_fashion_mnist, 1000, 200, 28, 255, "Ankle boot"),
    ],
)
def test_pictures_are_bytes_in_channels_and_classes_are_balanced(
    load, train, test, side, top, first
):
    data = load()
    for images, labels, each in [
        (data.train_images, data.train_labels, train),
        (data.test_images, data.test_labels, test),
    ]:
        assert images.dtype == np.uint8 and images.shape == (10 * each, 1, side, side)
        assert labels.dtype == np.int64
        assert np.bincount(labels).tolist() == [each] * 10
        assert images.min() == 0 and images.max() == top == data.max_value
        # Batches taken from the front hold every class: the order is not class by class.
        assert len(set(labels[:60].tolist())) == 10
    assert len(set(data.class_names)) == 10
    assert data.class_names[data.train_labels[0]] == first
    assert str(10 * train) in repr(data) and f"0..{top}" in repr(data)


def test_what_is_loaded_belongs_to_the_caller():
    datasets.load_digits().train_images[:] = 0
    assert datasets.load_digits().train_images.any()


@pytest.mark.parametrize(
    ("name", "sha256"),
    [
        ("digits", "22d4fa24d955db11a580c08890bd5447ce039410a1a0ea4a56ba64080b0b8c34"),
        ("fashion_mnist", "53d012bf872fe22eeaab99b0b3ee977a0b4798e226cc1c33352adb5dcb62c9f8"),
    ],
)
def test_what_ships_is_what_was_compared_with_the_originals(name, sha256):
    """The tests that compare need scikit-learn and the original files, and skip without them."""
    assert hashlib.sha256((PACKAGE / f"{name}.npz").read_bytes()).hexdigest() == sha256


def test_digits_are_those_of_scikit_learn():
    sklearn_datasets = pytest.importorskip("sklearn.datasets", reason="no scikit-learn")
    data, original = datasets.load_digits(), sklearn_datasets.load_digits()
    for images, labels, chosen in [
        (data.train_images, data.train_labels, numbered(original.target, 0, 140)),
        (data.test_images, data.test_labels, numbered(original.target, 140, 174)),
    ]:
        assert np.array_equal(images[:, 0], original.images[chosen])
        assert np.array_equal(labels, original.target[chosen])


@needs_originals
def test_fashion_mnist_is_that_of_the_originals():
    def original(name, header):
        file = ORIGINALS / name
        content = file.read_bytes() if file.exists() else gzip.open(ORIGINALS / f"{name}.gz").read()
        return np.frombuffer(content, np.uint8, offset=header)

    data = datasets.load_fashion_mnist()
    for images, labels, prefix, each in [
        (data.train_images, data.train_labels, "train", 1000),
        (data.test_images, data.test_labels, "t10k", 200),
    ]:
        all_labels = original(f"{prefix}-labels-idx1-ubyte", 8)
        all_images = original(f"{prefix}-images-idx3-ubyte", 16).reshape(-1, 1, 28, 28)
        chosen = numbered(all_labels, 0, each)
        assert np.array_equal(images, all_images[chosen])
        assert np.array_equal(labels, all_labels[chosen])


def test_the_script_makes_the_digits_again_byte_for_byte(tmp_path):
    pytest.importorskip("sklearn", reason="scikit-learn is not installed")
    _packed.write(tmp_path / "digits.npz", script().digits())
    assert (tmp_path / "digits.npz").read_bytes() == (PACKAGE / "digits.npz").read_bytes()


@needs_originals
def test_the_script_makes_fashion_mnist_again_byte_for_byte(tmp_path):
    again = tmp_path / "fashion_mnist.npz"
    _packed.write(again, script().fashion_mnist(ORIGINALS))
    assert again.read_bytes() == (PACKAGE / "fashion_mnist.npz").read_bytes()


def test_source_and_license_are_said_with_the_data_and_in_the_readme():
    readme = (PACKAGE / "README.md").read_text(encoding="utf-8")
    for data, license_, source in [
        (datasets.load_digits(), "CC BY 4.0", "https://doi.org/10.24432/C50P49"),
        (datasets.load_fashion_mnist(), "MIT", "https://github.com/zalandoresearch/fashion-mnist"),
    ]:
        assert license_ in data.license and license_ in readme
        assert source in data.source and source in readme
    assert "Copyright © 2017 Zalando SE" in readme


def test_import_and_load_need_numpy_alone():
    code = (
        "import sys, cnnlib\n"
        "assert 'cnnlib.datasets' not in sys.modules\n"
        "from cnnlib import datasets\n"
        "datasets.load_digits(), datasets.load_fashion_mnist()\n"
        "print(*{name.split('.')[0] for name in sys.modules} - sys.stdlib_module_names)\n"
    )
    loaded = subprocess.check_output([sys.executable, "-I", "-c", code], text=True).split()
    assert {"numpy", "cnnlib"} <= set(loaded)
    assert not {"pooch", "requests", "sklearn", "matplotlib", "IPython", "torch"} & set(loaded)


@pytest.mark.parametrize("module", [datasets, _packed, _fetch])
def test_examples_run(module):
    result = doctest.testmod(module)
    assert result.attempted > 0 and result.failed == 0


@pytest.mark.parametrize(
    "name, time, md5",
    [
        ("train_images", 1504176606, "8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
        ("train_labels", 1504176606, "25c81989df183df01b3e8a0aad5dffbe"),
        ("test_images", 1504176627, "bef4ecab320f06d8554ea6380940ec79"),
        ("test_labels", 1504176627, "bb300cfdad3c16e7a12a480ee83cd310"),
    ],
)
@needs_originals
def test_checksums_are_those_of_the_published_files(name, time, md5):
    """The MD5 sums are from Fashion-MNIST's README; Debian took name and time out of the header."""
    original = _fetch.ORIGINALS[name]
    file = ORIGINALS / f"{original.name}.gz"
    if not file.exists():
        pytest.skip(f"{file} is not there, only its content")
    content = file.read_bytes()
    has_name = content[3] & 8
    deflated = content[content.index(0, 10) + 1 if has_name else 10 :]
    published = struct.pack("<HBBIBB", 0x8B1F, 8, 8, time, 0, 3)
    published += original.name.encode() + b"\0" + deflated
    assert hashlib.md5(published).hexdigest() == md5
    assert hashlib.sha256(published).hexdigest() == original.gz_sha256


# The packed file


def some_arrays():
    """Arrays whose sizes are no multiples of 8, with some, no and only zeros."""
    rng = np.random.default_rng(0)
    train_images = rng.integers(0, 3, (5, 1, 3, 7), dtype=np.uint8)
    labels = np.arange(1, 6, dtype=np.uint8)
    test_images = np.zeros((3, 1, 3, 7), np.uint8)
    return dict(zip(_packed.NAMES, [train_images, labels, test_images, labels[:3]], strict=True))


def same(left, right):
    return left.keys() == right.keys() and all(np.array_equal(left[k], right[k]) for k in left)


def test_what_is_written_is_read(tmp_path):
    path = tmp_path / "new folder" / "some.npz"
    _packed.write(path, some_arrays())
    assert same(_packed.read(path), some_arrays())
    assert [file.name for file in path.parent.iterdir()] == ["some.npz"]


@pytest.mark.parametrize("name", ["digits.npz", "fashion_mnist.npz"])
def test_nothing_in_a_file_depends_on_when_where_or_by_which_zlib_it_was_written(name):
    with zipfile.ZipFile(PACKAGE / name) as file:
        for member in file.infolist():
            assert member.date_time == (1980, 1, 1, 0, 0, 0)
            assert member.create_system == 3
            assert member.compress_type == zipfile.ZIP_STORED


def test_a_failed_write_leaves_the_file_as_it_was(tmp_path):
    path = tmp_path / "some.npz"
    _packed.write(path, some_arrays())
    with pytest.raises(KeyError):
        _packed.write(path, {"train_images": np.ones(3, np.uint8)})
    assert same(_packed.read(path), some_arrays())
    assert list(tmp_path.iterdir()) == [path]


def test_a_damaged_file_never_reads_as_other_pictures(tmp_path):
    path = tmp_path / "some.npz"
    _packed.write(path, some_arrays())
    whole = path.read_bytes()
    refused = 0
    positions = range(0, len(whole), 7)
    for position in positions:
        changed = bytearray(whole)
        changed[position] ^= 0x55
        for content in changed, whole[:position]:
            path.write_bytes(content)
            try:
                # Some bytes, such as a date, mean nothing here.
                assert same(_packed.read(path), some_arrays())
            except DataError as error:
                assert "some.npz is damaged" in str(error)
                refused += 1
    assert refused > 1.5 * len(positions)


# fetch


def idx(array):
    """Write an array as an IDX file."""
    return (
        bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + bytes(array)
    )


@pytest.fixture
def originals(tmp_path, monkeypatch):
    """A folder of small originals, which cnnlib takes for the true ones, and an empty cache."""
    folder = tmp_path / "originals"
    folder.mkdir()
    small = {}
    for name, array in some_arrays().items():
        content = idx(array.squeeze())
        file = folder / f"{_fetch.ORIGINALS[name].name}.gz"
        file.write_bytes(gzip.compress(content, mtime=1))
        sums = [hashlib.sha256(part).hexdigest() for part in (file.read_bytes(), content)]
        small[name] = _fetch.Original(file.stem, *sums)
    monkeypatch.setattr(_fetch, "ORIGINALS", small)
    monkeypatch.setattr(_fetch, "URL", "http://127.0.0.1:9/")  # nobody listens there
    monkeypatch.setenv("CNNLIB_DATA", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return folder


@pytest.fixture
def served(originals, monkeypatch):
    """The same over HTTP; returns the folder and the list of paths asked for."""
    asked = []

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *args):
            asked.append(self.path)

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=originals)) as server:
        threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
        monkeypatch.setattr(_fetch, "URL", f"http://127.0.0.1:{server.server_port}/")
        yield originals, asked
        server.shutdown()


def assert_the_small_one_loads():
    data = datasets.load_fashion_mnist(full=True)
    expected = some_arrays()
    assert all(np.array_equal(getattr(data, name), a) for name, a in expected.items())
    assert data.train_labels.dtype == np.int64 and data.train_images.dtype == np.uint8


def assert_nothing_loads():
    assert not list(_fetch.full_path().parent.glob("*"))
    with pytest.raises(DataError, match=r"not here yet.*\bcnnlib data fetch\b"):
        datasets.load_fashion_mnist(full=True)


def test_before_a_fetch_the_error_says_what_to_run(originals):
    assert_nothing_loads()


def test_fetch_downloads_once(served, tmp_path):
    _, asked = served
    path = datasets.fetch()
    assert path == tmp_path / "cache" / "fashion_mnist_full.npz"
    assert len(asked) == 4
    assert_the_small_one_loads()
    assert datasets.fetch() == path
    assert len(asked) == 4
    assert list(path.parent.iterdir()) == [path]


def test_fetch_mends_a_damaged_file(served):
    path = datasets.fetch()
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DataError, match=r"is damaged.*cnnlib data fetch"):
        datasets.load_fashion_mnist(full=True)
    datasets.fetch()
    assert_the_small_one_loads()


@pytest.mark.parametrize("damage", ["changed", "cut", "missing"])
@pytest.mark.parametrize("which", ["train_images", "test_labels"])
def test_a_damaged_download_is_refused_and_leaves_nothing(served, which, damage):
    folder, _ = served
    file = folder / f"{_fetch.ORIGINALS[which].name}.gz"
    content = file.read_bytes()
    file.unlink()
    if damage != "missing":
        file.write_bytes(content[:-9] if damage == "cut" else content[:-1] + b"?")
    with pytest.raises(DataError, match="could not be downloaded") as refusal:
        datasets.fetch()
    assert file.name in str(refusal.value)
    assert ("404" if damage == "missing" else "does not match the known hash") in str(refusal.value)
    assert_nothing_loads()


def test_a_download_that_breaks_off_leaves_nothing(served, monkeypatch):
    def copyfile(self, source, outputfile):
        outputfile.write(source.read(10))  # fewer bytes than its header promises

    monkeypatch.setattr(SimpleHTTPRequestHandler, "copyfile", copyfile)
    with pytest.raises(DataError, match="could not be downloaded"):
        datasets.fetch()
    assert_nothing_loads()


def test_without_a_network_the_error_names_the_other_way(originals):
    with pytest.raises(DataError) as refusal:
        datasets.fetch()
    message = str(refusal.value)
    assert "train-images-idx3-ubyte.gz could not be downloaded from http://127.0.0.1:9/" in message
    assert "cnnlib data fetch --from FOLDER" in message
    assert "/usr/share/datasets/fashion-mnist" in message
    assert_nothing_loads()


@pytest.mark.parametrize("form", ["as published", "gzipped anew", "not gzipped"])
def test_fetch_takes_a_folder(originals, form):
    for file in list(originals.iterdir()):
        if form == "gzipped anew":  # as Debian does
            file.write_bytes(gzip.compress(gzip.decompress(file.read_bytes()), 1, mtime=0))
        if form == "not gzipped":
            file.with_suffix("").write_bytes(gzip.decompress(file.read_bytes()))
            file.unlink()
    datasets.fetch(source=str(originals))
    assert_the_small_one_loads()


def damaged(content, how):
    return {
        "other pictures": gzip.compress(gzip.decompress(content)[:-1] + b"?"),
        "cut": content[:-9],
        "garbled": content[:12] + bytes(8) + content[20:],
        "not gzip": b"<html>Please log in</html>",
        "empty": b"",
    }[how]


@pytest.mark.parametrize("how", ["other pictures", "cut", "garbled", "not gzip", "empty"])
@pytest.mark.parametrize("which", _packed.NAMES)
def test_a_wrong_file_in_the_folder_is_refused_and_named(originals, which, how):
    file = originals / f"{_fetch.ORIGINALS[which].name}.gz"
    file.write_bytes(damaged(file.read_bytes(), how))
    with pytest.raises(DataError, match=r"can't be read|is not Fashion-MNIST's") as refusal:
        datasets.fetch(source=originals)
    assert str(file) in str(refusal.value)
    assert_nothing_loads()


def test_a_missing_file_or_folder_is_named(originals):
    (originals / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(DataError, match=r"originals has no t10k-labels-idx1-ubyte\.gz"):
        datasets.fetch(source=originals)
    with pytest.raises(DataError, match=r"nowhere has no train-images-idx3-ubyte\.gz"):
        datasets.fetch(source=originals / "nowhere")
    assert_nothing_loads()


def test_a_failed_fetch_keeps_what_was_there(originals):
    datasets.fetch(source=originals)
    (originals / "train-labels-idx1-ubyte.gz").write_bytes(b"")
    with pytest.raises(DataError):
        datasets.fetch(source=originals)
    assert_the_small_one_loads()


def test_where_nothing_can_be_written_the_error_names_the_variable(originals, monkeypatch):
    monkeypatch.setenv("CNNLIB_DATA", str(originals / "train-labels-idx1-ubyte.gz"))
    with pytest.raises(DataError, match=r"could not be written.*CNNLIB_DATA"):
        datasets.fetch(source=originals)


def test_without_the_variable_the_cache_folder_is_the_users(monkeypatch):
    pooch = pytest.importorskip("pooch")
    for unset in (
        lambda: monkeypatch.setenv("CNNLIB_DATA", ""),
        partial(monkeypatch.delenv, "CNNLIB_DATA"),
    ):
        unset()
        assert _fetch.full_path().parent == Path(pooch.os_cache("cnnlib"))


@needs_originals
def test_the_full_fashion_mnist_is_fetched_and_begins_like_the_shipped_part(tmp_path, monkeypatch):
    monkeypatch.setenv("CNNLIB_DATA", str(tmp_path))
    datasets.fetch(source=ORIGINALS)
    full, part = datasets.load_fashion_mnist(full=True), datasets.load_fashion_mnist()
    assert full.train_images.shape == (60000, 1, 28, 28)
    assert full.test_images.shape == (10000, 1, 28, 28)
    assert np.bincount(full.train_labels).tolist() == [6000] * 10
    assert np.bincount(full.test_labels).tolist() == [1000] * 10
    assert np.array_equal(full.train_images[:5000], part.train_images[:5000])
    assert full.class_names == part.class_names
