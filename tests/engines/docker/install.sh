#!/bin/bash
# Unpacks Debian sid's Docker engine and Compose into a private root at $1; installs nothing on this machine.
# Done once: later runs return at once.
set -euo pipefail
here=$(dirname "$0") top=$1
mkdir -p "$top"
exec 9>"$top/lock"; flock 9
[ ! -e "$top/root/usr/sbin/dockerd" ] || exit 0
rm -rf "$top/root"
"$here"/../unpack_sid.sh "$top" docker.io docker-cli docker-compose docker-buildx containerd runc iptables busybox-static
mv "$top/root.new" "$top/root"
