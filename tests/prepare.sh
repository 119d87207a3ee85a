#!/bin/sh
# Has on this machine what the tests with real engines need. Quiet when all is there.
# As root on Debian and Ubuntu it installs what is missing; otherwise it says what will be skipped and why.
set -eu
PATH=$PATH:/usr/sbin:/sbin

missing=
need() { # need COMMAND PACKAGE...: the packages, unless the command is there
    command -v "$1" >/dev/null 2>&1 || { shift; missing="$missing $*"; }
}
need dockerd docker.io
need containerd containerd
need runc runc
need iptables iptables
need ip iproute2
need busybox busybox-static
need podman podman
need docker-registry docker-registry
need docker-compose docker-compose
need libvirtd libvirt-daemon libvirt-daemon-driver-qemu
need virsh libvirt-clients
need qemu-system-x86_64 qemu-system-x86
need qemu-img qemu-utils
need pkg-config pkg-config
need gcc gcc
{ command -v pkg-config && pkg-config --exists libvirt; } >/dev/null 2>&1 || missing="$missing libvirt-dev python3-dev"
need tmux tmux
need sshd openssh-server
need ssh openssh-client
need unshare util-linux
need flock util-linux
ls /usr/share/qemu/firmware/*.json >/dev/null 2>&1 || missing="$missing ovmf"
[ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || missing="$missing debian-archive-keyring"
[ -n "$missing" ] || [ "$(id -u)" != 0 ] || exit 0

if [ "$(id -u)" != 0 ]; then
    echo "The tests with real engines (Docker, Podman, VirtualBox, libvirt) are skipped: they start private engines, which takes root."
    echo "To run them too: sudo make test"
elif ! command -v apt-get >/dev/null; then
    echo "Not on this machine:$missing. Tests that need them are skipped; install them to run all."
else
    echo "Installing for the tests:$missing"
    apt-get -qq update
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install $missing >/dev/null
fi
