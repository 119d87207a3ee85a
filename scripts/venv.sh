#!/bin/sh
# Makes or completes a virtual environment with boxtop in it: venv.sh FOLDER PYTHON [pip install arguments].
# Tells what to install where Python cannot make one; as root on Debian and Ubuntu installs that itself.
set -eu
venv=$1 python=$2
shift 2

can_make_venv() { "$python" -c 'import ensurepip, venv' 2>/dev/null; }

if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    echo "boxtop needs Python 3.11 or newer, which '$python' is not: make PYTHON=/path/to/python3" >&2
    exit 1
fi
# a Python that was upgraded or removed leaves an environment that does not start
if ! "$venv/bin/python" -c 'import pip' 2>/dev/null; then
    if ! can_make_venv; then
        version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
            echo "Installing python3-venv ..."
            apt-get -qq update
            DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install "python$version-venv" >/dev/null
        else
            echo "Python's venv module is missing. Run: sudo apt-get install python$version-venv" >&2
            exit 1
        fi
    fi
    rm -rf "$venv"
    "$python" -m venv "$venv"
fi
echo "Installing boxtop into $venv ..."
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check "$@"
