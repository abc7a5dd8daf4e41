#!/usr/bin/env bash
# Build the wheel, install it on the newest Python of this machine into an environment of its own, and run a
# part of the tests against it: check-wheel.sh [PYTHON]
set -euo pipefail
cd "$(dirname "$0")/.."

newest() {
    for version in 3.14 3.13 3.12 3.11; do
        for python in "python$version" "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"$version".*/bin/python; do
            if "$python" -c 'import venv' 2>/dev/null; then
                echo "$python"
                return
            fi
        done
    done
}

python=${1:-$(newest)}
echo "The wheel, on $("$python" --version):"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$python" -m venv "$work/venv"
pip=("$work/venv/bin/python" -m pip --quiet --disable-pip-version-check)
"${pip[@]}" wheel --no-deps --wheel-dir "$work" .
"${pip[@]}" install --require-hashes -r requirements-dev.txt
"${pip[@]}" install --no-deps "$work"/tintype_server-*.whl
# Not from the sources: what the tests import, and the command they start, are the wheel's.
mkdir "$work/checkout"
cp -r tests pyproject.toml docs README.md CHANGELOG.md requirements.txt "$work/checkout"
cd "$work/checkout"
"$work/venv/bin/pytest" -q -p no:cacheprovider tests/test_settings.py tests/test_app.py tests/cli/test_serve.py \
    tests/cli/test_library.py tests/core/delivery tests/catalogue/test_migrations.py tests/imaging/test_render.py
