#!/bin/bash
# Unpacks a real VirtualBox (Debian sid, contrib) into a private root at $1; installs nothing on this machine.
# Done once: later runs return at once.
set -euo pipefail
here=$(dirname "$0") top=$1 root=$1/root lib=$1/root/usr/lib/virtualbox
mkdir -p "$top"
exec 9>"$top/lock"; flock 9
[ ! -e "$lib/VBoxHeadless.distrib" ] || exit 0
rm -rf "$root"
# VirtualBox depends on a kernel module package: an empty one stands in.
mkdir -p "$top"/dummy/DEBIAN
printf '%s\n' 'Package: virtualbox-modules-none' 'Version: 1' 'Architecture: all' 'Maintainer: none <root@localhost>' \
  'Provides: virtualbox-modules' 'Description: no kernel module' > "$top"/dummy/DEBIAN/control
dpkg-deb -b "$top"/dummy "$top"/dummy.deb >/dev/null
"$here"/../unpack_sid.sh "$top" "$top"/dummy.deb virtualbox systemd-standalone-sysusers bash coreutils libc-bin procps
rm -r "$top"/dummy "$top"/dummy.deb
mkdir -p "$root.new"/opt/py
mv "$root.new" "$root"
# VMs run without the kernel module in VirtualBox's own driverless mode, which the set-uid stub does not offer.
cp "$here/headless.py" "$lib/VBoxHeadless.new"
chmod 755 "$lib/VBoxHeadless.new"
cp -p "$lib/VBoxHeadless" "$lib/VBoxHeadless.stub"
mv "$lib/VBoxHeadless.new" "$lib/VBoxHeadless"
mv "$lib/VBoxHeadless.stub" "$lib/VBoxHeadless.distrib"
