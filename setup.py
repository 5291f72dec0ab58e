"""pyproject.toml says everything; this makes `pip install -e .` bring the JupyterLab extension too."""

from setuptools import Distribution, setup

# An editable install asks for has_data, which setuptools calls has_data_files.
Distribution.has_data = Distribution.has_data_files

setup()
