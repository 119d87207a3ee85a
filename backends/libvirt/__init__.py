"""libvirt: QEMU/KVM and the other hypervisors it drives."""
