"""PNG files, as much as screenshots need: written as RGB, read without interlacing. PNG, third edition, W3C 2025."""

from __future__ import annotations

import struct
import zlib
from itertools import accumulate

from backends.abilities.screens import Picture

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""By colour type: grey, RGB, palette, grey and alpha, RGB and alpha."""
_PALETTE = 3
_MOST = 256 << 20
"""Bytes a picture may take: what claims more is no screenshot."""


def encode(picture: Picture) -> bytes:
    """The picture as a PNG file, 8 bits a channel."""
    stride = picture.width * 3
    lines = b"".join(b"\0" + picture.rgb[at : at + stride] for at in range(0, len(picture.rgb), stride))
    head = struct.pack(">IIBBBBB", picture.width, picture.height, 8, 2, 0, 0, 0)
    return _SIGNATURE + _chunk(b"IHDR", head) + _chunk(b"IDAT", zlib.compress(lines, 6)) + _chunk(b"IEND", b"")


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def decode(data: bytes) -> Picture:
    """A picture of 8 bits a channel; what is transparent in it counts as opaque. Raises ValueError for any other."""
    try:
        return _decode(data)
    except (struct.error, zlib.error, IndexError) as error:
        raise ValueError(f"a PNG file that cannot be read: {error}") from error


def _decode(data: bytes) -> Picture:
    if data[:8] != _SIGNATURE:
        raise ValueError("no PNG file")
    at, head, palette, packed = 8, b"", b"", []
    while at < len(data):
        (size,) = struct.unpack_from(">I", data, at)
        name, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + size]
        if name == b"IHDR":
            head = body
        elif name == b"PLTE":
            palette = body
        elif name == b"IDAT":
            packed.append(body)
        elif name == b"IEND":
            break
        at += size + 12
    width, height, bits, kind, _, _, interlaced = struct.unpack(">IIBBBBB", head)
    if bits != 8 or interlaced or kind not in _CHANNELS:
        raise ValueError("a PNG file of a kind that is not read here")
    channels = _CHANNELS[kind]
    size = (width * channels + 1) * height
    if not 0 < size <= _MOST:
        raise ValueError("a PNG file of an impossible size")
    raw = zlib.decompressobj().decompress(b"".join(packed), size)
    if len(raw) < size:
        raise ValueError("a PNG file that is cut off")
    return Picture(width, height, _as_rgb(_unfiltered(raw, width * channels, height, channels), kind, palette))


def _as_rgb(pixels: bytes, kind: int, palette: bytes) -> bytes:
    if kind == 2:
        return pixels
    if kind == _PALETTE:
        table = palette.ljust(768, b"\0")
        planes = [pixels.translate(table[channel::3]) for channel in range(3)]
    elif kind == 6:
        planes = [pixels[channel::4] for channel in range(3)]
    else:
        planes = [pixels[:: _CHANNELS[kind]]] * 3
    rgb = bytearray(len(planes[0]) * 3)
    for channel, plane in enumerate(planes):
        rgb[channel::3] = plane
    return bytes(rgb)


def _unfiltered(raw: bytes, stride: int, height: int, step: int) -> bytes:
    """The lines less their filters (section 9); `step` is the bytes of a pixel."""
    lines = []
    above = bytes(stride)
    for start in range(0, (stride + 1) * height, stride + 1):
        line = raw[start + 1 : start + 1 + stride]
        match raw[start]:
            case 0:
                pass
            case 1:
                line = _left(line, step)
            case 2:
                line = _sum(line, above)
            case 3:
                line = _average(line, above, step)
            case 4:
                line = _paeth(line, above, step)
            case other:
                raise ValueError(f"a PNG file with an unknown filter {other}")
        lines.append(line)
        above = line
    return b"".join(lines)


def _left(line: bytes, step: int) -> bytes:
    found = bytearray(len(line))
    for channel in range(step):
        found[channel::step] = bytes([value & 255 for value in accumulate(line[channel::step])])
    return bytes(found)


def _sum(line: bytes, above: bytes) -> bytes:
    """All bytes at once, as one number: the lower seven bits of each are added, the highest ones joined after."""
    size = len(line)
    one, other = int.from_bytes(line, "little"), int.from_bytes(above, "little")
    low = int.from_bytes(b"\x7f" * size, "little")
    return (((one & low) + (other & low)) ^ ((one ^ other) & ~low)).to_bytes(size, "little")


def _average(line: bytes, above: bytes, step: int) -> bytes:
    found = bytearray(step) + bytearray(line)
    for at, value in enumerate(line):
        found[at + step] = (value + (found[at] + above[at] >> 1)) & 255
    return bytes(found[step:])


def _paeth(line: bytes, above: bytes, step: int) -> bytes:
    if not any(line) and not any(above):
        return line  # as most of a console is
    found = bytearray(step) + bytearray(line)
    corner = bytes(step) + above
    for at, value in enumerate(line):
        left, up, diagonal = found[at], above[at], corner[at]
        near_left, near_up = abs(up - diagonal), abs(left - diagonal)
        near_diagonal = abs(left + up - diagonal - diagonal)
        if near_left <= near_up and near_left <= near_diagonal:
            guess = left
        elif near_up <= near_diagonal:
            guess = up
        else:
            guess = diagonal
        found[at + step] = (value + guess) & 255
    return bytes(found[step:])
