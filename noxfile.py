"""`nox`: the tests on every Python that tintype runs on, where it is installed."""

import nox

nox.options.default_venv_backend = "venv"


@nox.session(python=["3.11", "3.12", "3.13", "3.14"])
def tests(session: nox.Session) -> None:
    """Run the tests; arguments behind `--` go to pytest."""
    session.install("--require-hashes", "-r", "requirements-dev.txt")
    session.install("--no-deps", "-e", ".")
    session.run("pytest", "-n", "2", *session.posargs)
