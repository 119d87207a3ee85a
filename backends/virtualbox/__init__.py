"""VirtualBox: through pyvbox in a helper process, else through VBoxManage."""
