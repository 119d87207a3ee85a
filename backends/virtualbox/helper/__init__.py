"""Talks to VirtualBox in a process of its own: JSON lines in on stdin, JSON lines out on stdout.

These modules are sent to whichever interpreter can load VirtualBox's binding (Python 3.8 or newer), where nothing of
boxtop is installed: they import each other, the standard library and, after `hello`, pyvbox. `server` takes the
requests, in one thread. VirtualBox's native library prints to stdout and dies of a dead VBoxSVC, hence the process. One
helper lists; each action has a helper of its own, which finishes its action also when boxtop is gone by then.

A request is {"id": n, "do": name, ...}; its answer {"id": n, "ok": result} or {"id": n, "error": words, "kind": word}.
Unasked: {"event": [machine ids]} (an empty list: anything may have changed) and {"lost": words} before an exit with
status LOST, when VBoxSVC is gone. Sizes are bytes, times Unix seconds. The end of stdin ends it.

API names are those of the VirtualBox SDK, seen in 7.2.22.
"""
