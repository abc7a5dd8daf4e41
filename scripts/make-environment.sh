#!/bin/sh
# Make a virtual environment: make-environment.sh PYTHON FOLDER
# Debian and Ubuntu ship Python without its venv module; where we may, we install it, else we say how.
set -eu
python=$1
folder=$2

if ! "$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))'; then
    echo "tintype runs on Python 3.11 to 3.14; $python is $("$python" --version 2>&1)." >&2
    echo "Name another one: make serve PYTHON=python3.12" >&2
    exit 1
fi

if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    package=$("$python" -c 'import sys; print(f"python{sys.version_info[0]}.{sys.version_info[1]}-venv")')
    echo "This Python lacks its venv module (Debian package $package)." >&2
    if [ "$(id -u)" = 0 ]; then
        apt-get update -qq && apt-get install -y -qq "$package" >/dev/null
    elif sudo -n true 2>/dev/null; then
        sudo -n apt-get update -qq && sudo -n apt-get install -y -qq "$package" >/dev/null
    else
        echo "Install it and run make again: sudo apt-get install $package" >&2
        exit 1
    fi
fi

"$python" -m venv "$folder"
