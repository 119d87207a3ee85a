#!/usr/bin/env bash
# Captures two snapshots of real cgroup v2 files, with loads running, from a Linux kernel booted in QEMU (no KVM, no root).
# Usage: tests/engines/capture_cgroup_v2.sh [FOLDER]; FOLDER (tests/unit/data/cgroup_v2) gets first.txt and second.txt.
# Needs on Debian: qemu-system-x86 linux-image-cloud-amd64 busybox-static cpio kmod. KERNEL=RELEASE picks another kernel.
set -euo pipefail
PATH=$PATH:/usr/sbin:/sbin
out=${1:-$(dirname "$0")/../unit/data/cgroup_v2}
kernel=${KERNEL:-$(find /lib/modules -mindepth 1 -maxdepth 1 -name '*cloud*' -printf '%f\n' | sort -V | tail -n 1)}
[ -r "/boot/vmlinuz-$kernel" ] || { echo "No readable /boot/vmlinuz-$kernel" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mkdir -p "$work"/root/{bin,proc,sys,dev,modules}
cp "$(command -v busybox)" "$work/root/bin/busybox"
ln -s busybox "$work/root/bin/sh"
: > "$work/root/modules/order"
for module in virtio_pci virtio_blk; do
    modprobe -S "$kernel" --show-depends "$module" | awk '$1 == "insmod" {print $2}' | while read -r file; do
        name=$(basename "$file")
        [ ! -e "$work/root/modules/$name" ] || continue
        cp "$file" "$work/root/modules/"
        echo "$name" >> "$work/root/modules/order"
    done
done

# load NAME CGROUP: runs inside CGROUP for ever. No process of a load ends, so that their times can be summed.
cat > "$work/root/load" <<'LOAD'
#!/bin/sh
echo $$ > "/sys/fs/cgroup/$2/cgroup.procs"
fill() { memory=$(head -c "$1" /dev/zero | tr '\0' x); }
spin() { while :; do :; done; }
case $1 in
    busy) fill 8388608; spin ;;
    limited) fill 8388608; dd if=/dev/vda of=/dev/null bs=64k & spin ;;
    rootless) sleep 1000 & sleep 1000 & fill 2097152
        while read -r _; do i=0; while [ $i -lt 2000 ]; do i=$((i + 1)); done; done < /tick ;;
    disk) exec dd if=/dev/vda of=/dev/vdb bs=64k iflag=direct oflag=direct ;;
    idle) exec sleep 1000 ;;
esac
LOAD

cat > "$work/root/init" <<'INIT'
#!/bin/sh
export PATH=/bin
/bin/busybox --install -s /bin
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
while read -r module; do insmod "/modules/$module"; done < /modules/order
cgroup=/sys/fs/cgroup
mount -t cgroup2 none $cgroup

enable() { # enable CONTROLLERS GROUP...: for the children of each
    controllers=$1; shift
    for group in "$@"; do mkdir -p "$cgroup/$group"; echo "$controllers" > "$cgroup/$group/cgroup.subtree_control"; done
}
ident() { printf "%064d" 0 | tr 0 "$1"; }
enable '+cpu +memory +io +pids' . docker system.slice machine.slice user.slice
# systemd delegates these two alone to a user's session unless told otherwise
session=user.slice/user-1000.slice/user@1000.service
enable '+memory +pids' user.slice/user-1000.slice $session $session/user.slice

# As Docker's two drivers, Docker without root, and Podman with its monitor have them
busy=docker/$(ident a)
limited=system.slice/docker-$(ident b).scope
rootless=$session/user.slice/docker-$(ident c).scope
disk=machine.slice/libpod-$(ident d).scope
monitor=machine.slice/libpod-conmon-$(ident d).scope
service=system.slice/docker.service
mkdir $cgroup/$busy $cgroup/$limited $cgroup/$rootless $cgroup/$disk $cgroup/$disk/container $cgroup/$monitor $cgroup/$service
echo '50000 100000' > $cgroup/$limited/cpu.max
echo 64M > $cgroup/$limited/memory.max
echo 32 > $cgroup/$limited/pids.max

mkfifo /tick
while :; do echo; usleep 50000; done > /tick &
sh /load busy $busy &
sh /load limited $limited 2> /dev/null &
sh /load rootless $rootless &
sh /load disk $disk/container &
sh /load idle $monitor &
sh /load idle $service &

snapshot() { # in head's own form; read by one process, so that all of it is of one moment
    cd /
    set -- proc/uptime proc/sys/kernel/osrelease sys/fs/cgroup/cgroup.controllers
    for group in $busy $limited $rootless $disk $disk/container $monitor $service; do
        for name in cgroup.controllers cgroup.procs cgroup.type cpu.max cpu.stat io.stat memory.current memory.max \
            memory.stat pids.current pids.max; do
            [ ! -e $cgroup/$group/$name ] || set -- "$@" sys/fs/cgroup/$group/$name
        done
        for pid in $(cat $cgroup/$group/cgroup.procs); do
            set -- "$@" proc/$pid/stat proc/$pid/io proc/$pid/cgroup
        done
    done
    head -v -n 1000 "$@"
}
sleep 12
snapshot > /first
sleep 5
snapshot > /second
{
    echo '@first'; cat /first
    echo '@second'; cat /second
    echo '@end'
} > /dev/ttyS1
poweroff -f
INIT
chmod +x "$work/root/init"
(cd "$work/root" && find . | cpio -o -H newc --quiet | gzip -1) > "$work/initrd.gz"

# Disks of zeros that answer after 4 ms, so that the loads have a rate of their own
disk=driver=null-co,size=68719476736,read-zeroes=on,latency-ns=4000000
timeout 300 qemu-system-x86_64 -accel tcg -cpu max -smp 2 -m 512 -display none -nodefaults -no-reboot \
    -kernel "/boot/vmlinuz-$kernel" -initrd "$work/initrd.gz" -append "console=ttyS0 panic=-1 loglevel=4" \
    -blockdev "$disk,node-name=a" -device virtio-blk-pci,drive=a \
    -blockdev "$disk,node-name=b" -device virtio-blk-pci,drive=b \
    -serial "file:$work/console" -serial "file:$work/data" < /dev/null

tr -d '\r' < "$work/data" > "$work/lines"
grep -qx '@end' "$work/lines" || { echo "The guest did not finish; its console said:" >&2; tail "$work/console" >&2; exit 1; }
mkdir -p "$out"
sed -n '/^@first$/,/^@second$/{/^@/!p}' "$work/lines" > "$out/first.txt"
sed -n '/^@second$/,/^@end$/{/^@/!p}' "$work/lines" > "$out/second.txt"
ls -l "$out"
