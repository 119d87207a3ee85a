#!/bin/sh
# inside.sh ROOT DIRECTORY COMMAND...: runs COMMAND in the private root, where DIRECTORY is at its own path.
# The root is a mount, as runc wants it. Mounts belong to the command's own namespace and end with it.
exec unshare -m --propagation private sh -c '
r=$1 d=$2; shift 2
mount --bind "$r" "$r" && mount -t proc proc "$r/proc" && mount --rbind /dev "$r/dev" && mount --rbind /sys "$r/sys" &&
mount -t tmpfs tmpfs "$r/run" && mkdir -p "$r$d" && mount --bind "$d" "$r$d" || exit 125
chroot=$(command -v chroot) || exit 125
exec env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin "$chroot" "$r" "$@"' inside "$@"
