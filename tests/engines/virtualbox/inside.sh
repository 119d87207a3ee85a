#!/bin/sh
# inside.sh ROOT SESSION COMMAND...: runs COMMAND in the private root with SESSION's own home and /tmp.
# Mounts belong to the command's own namespace and end with it. One root serves many sessions at once.
exec unshare -m --propagation private sh -c '
r=$1 s=$2; shift 2
mount -t proc proc "$r/proc" && mount --rbind /dev "$r/dev" && mount --rbind /sys "$r/sys" &&
mount --bind "$s/home" "$r/root" && mount --bind "$s/tmp" "$r/tmp" || exit 125
exec chroot "$r" env -i HOME=/root USER=root LOGNAME=root LANG=C.UTF-8 \
  PATH=/usr/sbin:/usr/bin:/sbin:/bin PYTHONPATH=/opt/py "$@"' inside "$@"
