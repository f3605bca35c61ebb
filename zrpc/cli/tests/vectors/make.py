#!/usr/bin/env python3
"""Writes the rendering vectors from Python's own pprint, json and repr.

    python3 -m venv venv && venv/bin/pip install msgpack
    venv/bin/python make.py > rendering.jsonl
    venv/bin/python make.py printable > ../../src/render/printable.rs

Each line of rendering.jsonl is one value: its msgpack encoding in hexadecimal,
what `pprint.pformat` makes of it, and what `json.dumps` makes of it (null where
Python refuses). Both files are written by Python 3.13 (Unicode 15.1).
"""

import json
import pprint
import random
import sys
import unicodedata

import msgpack

WORDS = [
    "a", "bc", "lorem", "ipsum dolor", "sit\tamet", "new\nline", "cr\r\nlf", "quote's",
    'double"d', "both'\"", "back\\slash", "é", "日本語", "🦀", "\x00\x1f\x7f", "\x85\xa0",
    "\u2028", "\u200b", "\ufeff", "\U000e0001", "\x1c\x1d", "x" * 90, "word " * 30,
    "", " ", "  lead", "trail  ", "e\u0301", "\u3000wide\u3000space", "\ue000", "\uffff",
]


def scalars():
    yield from [None, True, False, 0, 1, -1, 127, 128, -128, 255, 65536, 2**31, 2**32]
    yield from [2**63 - 1, 2**63, 2**64 - 1, -(2**63)]
    yield from [0.0, -0.0, 1.0, 1.5, -2.25, 0.1, 1e15, 1e16, 1.5e16, 123456789012345.6]
    yield from [1e-4, 1e-5, 1.25e-7, 1e22, 1e100, 5e-324, 1.7976931348623157e308]
    yield from [float("nan"), float("inf"), float("-inf"), 1 / 3, 1234567.0, 9007199254740993.0]
    yield from WORDS
    yield " ".join(WORDS)
    yield "".join(WORDS)
    yield "a 'single' and \"double\" quoted text " * 5
    yield "lots of ' apostrophes ' in ' here ' " * 4
    yield "line one\nline two is rather long and goes on until it must be wrapped somewhere\n\nend\n"
    yield from ["é" * 79, "x" * 76, "x" * 77, "x" * 78, "x" * 79, "x " * 39, "x " * 40]
    yield from [b"", b"abcd", b"abcde", b"it's", b'"', b"'\"", bytes(range(256)), b"\n\t\r\\ "]
    yield from [b"x" * n for n in (70, 74, 75, 76, 77, 78, 79, 80, 200)]
    yield msgpack.ExtType(5, b"\x01\x02"), msgpack.ExtType(127, b""), msgpack.ExtType(13, b"x" * 100)
    yield msgpack.Timestamp(1, 0)
    yield msgpack.Timestamp(1, 500)
    yield msgpack.Timestamp(-1, 999999999)
    yield msgpack.Timestamp(2**34, 1)


def containers():
    yield from [[], {}, [[]], [{}], {"a": []}, {"a": {}}, [None], {"k": None}]
    yield list(range(10))
    yield list(range(27))
    yield list(range(60))
    yield [list(range(20)), list(range(30)), []]
    yield {"b": 1, "a": 2, "C": 3, "é": 4, "": 5}
    yield {b"bin": 1, "str": 2, b"a": [b"x"], "z": {b"k": b"v"}}
    yield {"key%d" % i: "value %d" % i for i in range(12)}
    yield {"short": 1, "a long key that takes room " * 3: ["x" * 30, "y" * 30, "z" * 30]}
    yield {"text": "word " * 40, "bytes": b"0123456789" * 20, "n": 1.5}
    yield [["word " * 20], {"k": "word " * 20}]
    yield ["it's " * 20, b"it's " * 20]
    deep = "end"
    for i in range(40):
        deep = [deep] if i % 2 else {"key": deep, "other": i}
    yield deep
    yield [[[[[["x" * 20, "y" * 20, "z" * 40]]]]]]
    yield {"ext": msgpack.ExtType(7, b"payload " * 20), "time": [msgpack.Timestamp(0, 7)] * 9}
    for width in range(60, 82):
        yield ["x" * 10, "y" * (width - 20)]
        yield {"x" * 10: "y" * (width - 20)}
        yield [["a b " * ((width - 12) // 4), 1]]


def tree(rng, depth):
    kind = rng.randrange(10)
    if depth == 0 or kind < 5:
        pick = rng.randrange(6)
        if pick == 0:
            return rng.randrange(-(2**rng.randrange(1, 63)), 2 ** rng.randrange(1, 64))
        if pick == 1:
            return rng.choice([rng.random(), rng.gauss(0, 1e9), 10.0 ** rng.randrange(-30, 30)])
        if pick == 2:
            return rng.choice([None, True, False])
        if pick == 3:
            return rng.randbytes(rng.choice([0, 1, 3, 4, 5, 8, 20, 60, 90]))
        return rng.choice(["", " "]).join(rng.choices(WORDS, k=rng.randrange(6)))
    count = rng.choice([0, 1, 2, 3, 5, 9])
    if kind < 8:
        return [tree(rng, depth - 1) for _ in range(count)]
    keys = ["".join(rng.choices(WORDS[:12], k=rng.randrange(1, 4))) for _ in range(count)]
    return {key: tree(rng, depth - 1) for key in keys}


def vectors():
    yield from scalars()
    yield from containers()
    rng = random.Random(4242)
    for _ in range(150):
        yield tree(rng, 4)


def dumps(value):
    if holds_extension(value):
        return None
    try:
        return json.dumps(value)
    except TypeError:
        return None


def holds_extension(value):
    if isinstance(value, (msgpack.ExtType, msgpack.Timestamp)):
        return True
    if isinstance(value, dict):
        return any(holds_extension(item) for item in value.values())
    return isinstance(value, (list, tuple)) and any(holds_extension(item) for item in value)


def write_vectors():
    for value in vectors():
        packed = msgpack.packb(value, use_bin_type=True)
        value = msgpack.unpackb(packed, raw=False, timestamp=0)
        line = {"msgpack": packed.hex(), "pprint": pprint.pformat(value), "json": dumps(value)}
        print(json.dumps(line))


def write_printable():
    bounds, printable = [], False
    for code in range(0x110000):
        if chr(code).isprintable() != printable:
            printable = not printable
            bounds.append(code)
    print("//! Which characters Python prints as themselves; written by `tests/vectors/make.py`.")
    print()
    print("/// Code points at which printability changes, beginning with the first printable one")
    print(f"/// (Unicode {unicodedata.unidata_version}).")
    print("#[rustfmt::skip]")
    print(f"pub(super) const BOUNDS: [u32; {len(bounds)}] = [")
    for start in range(0, len(bounds), 10):
        print("    " + " ".join(f"{code:#x}," for code in bounds[start:start + 10]))
    print("];")


if __name__ == "__main__":
    write_printable() if sys.argv[1:] == ["printable"] else write_vectors()
