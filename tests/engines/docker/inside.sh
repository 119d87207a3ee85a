#!/bin/sh
# inside.sh ROOT DIRECTORY COMMAND...: runs COMMAND in the private root, where DIRECTORY is at its own path.
# Mounts belong to the command's own namespace and end with it. That namespace's root is changed, not only the
# command's: who enters a container later gets the container's files, not this machine's.
PATH=$PATH:/usr/sbin:/sbin exec unshare -m --propagation private sh -c '
r=$1 d=$2; shift 2
mount --bind "$r" "$r" && mount -t proc proc "$r/proc" && mount --rbind /dev "$r/dev" && mount --rbind /sys "$r/sys" &&
mount -t tmpfs tmpfs "$r/run" && mkdir -p "$r$d" "$r/old" && mount --bind "$d" "$r$d" &&
cd "$r" && pivot_root . old || exit 125
exec /usr/bin/busybox env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin \
  /usr/bin/busybox sh -c "umount -l /old && exec \"\$@\"" inside "$@"' inside "$@"
