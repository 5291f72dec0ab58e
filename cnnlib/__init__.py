"""cnnlib: the layers, checks and pictures of a course on how a convolutional network works inside."""

__version__ = "0.2.0"
