#!/bin/sh
# Adds libvirt's Python binding to the environment whose programs are in BIN, where it can be built: libvirt.sh BIN.
set -eu
bin=$1
"$bin/python" -c 'import libvirt' 2>/dev/null && exit 0
if ! { command -v gcc && command -v pkg-config && pkg-config --exists libvirt; } >/dev/null 2>&1; then
    echo "libvirt's Python binding needs gcc, pkg-config and libvirt-dev to be built: its tests are skipped."
    exit 0
fi
echo "Building libvirt's Python binding ..."
"$bin/python" -m pip install --quiet --disable-pip-version-check -e '.[libvirt]'
