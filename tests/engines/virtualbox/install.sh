#!/bin/bash
# Unpacks a real VirtualBox (Debian sid, contrib) into a private root at $1; installs nothing on this machine.
# Needs root, apt-get, dpkg-deb and Debian's archive keyring. Done once: later runs return at once.
set -euo pipefail
top=$1 root=$1/root apt=$1/apt lib=$1/root/usr/lib/virtualbox
mkdir -p "$top"
exec 9>"$top/lock"; flock 9
[ ! -e "$lib/VBoxHeadless.distrib" ] || exit 0
rm -rf "$root" "$root.new" "$apt"
mkdir -p "$apt"/st/lists/partial "$apt"/arch/partial "$apt"/cache
: > "$apt"/st/status
mirror=$(awk '$1=="URIs:"{print $2; exit}' /etc/apt/sources.list.d/debian.sources 2>/dev/null || true)
[ -n "$mirror" ] || mirror=$(awk '$1=="deb"{for(i=2;i<=NF;i++) if($i ~ /^http/){print $i; exit}}' /etc/apt/sources.list)
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
echo "deb [signed-by=$keyring] ${BOXTOP_TEST_DEBIAN_MIRROR:-$mirror} sid main contrib" > "$apt"/sources.list
cat > "$apt"/apt.conf <<C
Dir::Etc::sourcelist "$apt/sources.list"; Dir::Etc::sourceparts "/dev/null"; Dir::Etc::preferencesparts "/dev/null";
Dir::State "$apt/st"; Dir::State::status "$apt/st/status"; Dir::Cache "$apt/cache"; Dir::Cache::archives "$apt/arch";
Acquire::Languages "none"; Acquire::Check-Valid-Until "false"; Acquire::Retries "3";
APT::Install-Recommends "false"; APT::Sandbox::User "root";
C
export APT_CONFIG=$apt/apt.conf DEBIAN_FRONTEND=noninteractive
apt-get -qq update
# VirtualBox depends on a kernel module package: an empty one stands in.
mkdir -p "$apt"/dummy/DEBIAN
printf '%s\n' 'Package: virtualbox-modules-none' 'Version: 1' 'Architecture: all' 'Maintainer: none <root@localhost>' \
  'Provides: virtualbox-modules' 'Description: no kernel module' > "$apt"/dummy/DEBIAN/control
dpkg-deb -b "$apt"/dummy "$apt"/dummy.deb >/dev/null
# The empty status file makes apt fetch everything needed; it is unpacked below, not installed.
apt-get -qq -y --download-only install "$apt"/dummy.deb virtualbox systemd-standalone-sysusers bash coreutils libc-bin procps
mkdir -p "$root.new"
for package in "$apt"/arch/*.deb; do dpkg-deb -x "$package" "$root.new"; done
printf 'root:x:0:0:root:/root:/bin/sh\n' > "$root.new"/etc/passwd
printf 'root:x:0:\n' > "$root.new"/etc/group
mkdir -p "$root.new"/{proc,sys,dev,root,tmp,opt/py}
chmod 1777 "$root.new"/tmp
rm -rf "$apt"
mv "$root.new" "$root"
# VMs run without the kernel module in VirtualBox's own driverless mode, which the set-uid stub does not offer.
cp "$(dirname "$0")/headless.py" "$lib/VBoxHeadless.new"
chmod 755 "$lib/VBoxHeadless.new"
cp -p "$lib/VBoxHeadless" "$lib/VBoxHeadless.stub"
mv "$lib/VBoxHeadless.new" "$lib/VBoxHeadless"
mv "$lib/VBoxHeadless.stub" "$lib/VBoxHeadless.distrib"
