"""Keep these tests out of a plain `pytest tests`: they start JupyterLab and a browser."""


def pytest_ignore_collect(config):
    return None if any("browser" in arg for arg in config.args) else True
