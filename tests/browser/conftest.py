"""Keep these tests out of a plain `pytest tests`: they start JupyterLab and a browser."""

from pathlib import Path

HERE = Path(__file__).parent


def pytest_ignore_collect(config):
    named = (Path(config.invocation_params.dir, arg.split("::")[0]) for arg in config.args)
    return None if any(HERE in (path, *path.parents) for path in named) else True
