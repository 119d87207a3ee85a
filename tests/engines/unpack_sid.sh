#!/bin/bash
# unpack_sid.sh TOP PACKAGE...: has Debian sid's PACKAGEs, with all they depend on, unpacked in TOP/root.new.
# Nothing is installed on this machine. Needs root, apt-get, dpkg-deb and Debian's archive keyring.
set -euo pipefail
top=$1 root=$1/root.new apt=$1/apt
shift
rm -rf "$root" "$apt"
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
# The empty status file makes apt fetch everything needed; it is unpacked below, not installed.
apt-get -qq -y --download-only install "$@"
mkdir -p "$root"
for package in "$apt"/arch/*.deb; do dpkg-deb -x "$package" "$root"; done
for link in bin sbin lib lib64; do [ -e "$root/$link" ] || ln -s "usr/$link" "$root/$link"; done
printf 'root:x:0:0:root:/root:/bin/sh\n' > "$root"/etc/passwd
printf 'root:x:0:\n' > "$root"/etc/group
mkdir -p "$root"/{proc,sys,dev,run,root,tmp}
chmod 1777 "$root"/tmp
rm -rf "$apt"
