#!/usr/bin/python3
"""Runs VBoxHeadless.so in VirtualBox's driverless mode, which interprets the guest: for tests only."""

import ctypes
import os
import sys
from collections.abc import Iterable

PROGRAMS = "/usr/lib/virtualbox/"
UNRESTRICTED, DRIVERLESS, DRIVERLESS_IEM_ALLOWED = 1, 4, 8  # SUPR3INIT_F_* of VBox/sup.h


def vector(items: Iterable[str]) -> "ctypes.Array[ctypes.c_char_p]":
    encoded = [os.fsencode(item) for item in items]
    return (ctypes.c_char_p * (len(encoded) + 1))(*encoded, None)


runtime = ctypes.CDLL(PROGRAMS + "VBoxRT.so", ctypes.RTLD_GLOBAL)
argv = [PROGRAMS + "VBoxHeadless", *sys.argv[1:]]
arguments = ctypes.cast(vector(argv), ctypes.POINTER(ctypes.c_char_p))
status = runtime.RTR3InitExe(len(argv), ctypes.byref(arguments), 0)
if status >= 0:
    status = runtime.SUPR3InitEx(UNRESTRICTED | DRIVERLESS | DRIVERLESS_IEM_ALLOWED, None)
if status < 0:
    sys.exit(f"VBoxHeadless: cannot start, status {status}")
environment = ctypes.cast(vector([f"{name}={value}" for name, value in os.environ.items()]), ctypes.c_void_p)
program = ctypes.CDLL(PROGRAMS + "VBoxHeadless.so", ctypes.RTLD_GLOBAL)
os._exit(program.TrustedMain(len(argv), arguments, environment) & 255)
