#!/bin/sh
# inside.sh DIRECTORY COMMAND...: runs COMMAND where the folders of libvirt are those below DIRECTORY.
# Mounts belong to the command's own namespace and end with it.
exec unshare -m --propagation private sh -c '
d=$1; shift
for pair in etc:/etc/libvirt run:/run/libvirt lib:/var/lib/libvirt log:/var/log/libvirt cache:/var/cache/libvirt; do
  mkdir -p "$d/${pair%%:*}" "${pair#*:}" && mount --bind "$d/${pair%%:*}" "${pair#*:}" || exit 125
done
exec "$@"' inside "$@"
