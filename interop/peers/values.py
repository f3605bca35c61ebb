# -*- coding: utf-8 -*-
"""Values that JSON cannot say, written as objects with one `$` key.

    {"$bytes": "00ff"}                     binary
    {"$pattern": {"size": n, "seed": s}}   binary, byte i is (31 * i + s) mod 256
    {"$repeat": {"text": "ab", "count": n}} a long string
    {"$float": "nan" | "inf" | "-inf"}     a float that is no JSON number
    {"$ext": [code, "00ff"]}               a msgpack extension
    {"$timestamp": [seconds, nanoseconds]} the timestamp extension
    {"$map": [[key, value], …]}            a map whose keys are not all strings
    {"$power": [base, exponent]}           an integer of any size

Replies hold long binaries and strings as `{"$long_bytes": {"size", "crc32"}}`
and `{"$long_str": …}`. A native string of Python 2 is binary here, as it is
for zerorpc.
"""

import binascii
import math
import zlib

import msgpack

LONGEST = 4096
TEXT = type(u"")
NUMBERS = (bool, int, float) + (() if TEXT is str else (long,))  # noqa: F821


def pattern(size, seed):
    """Binary that both sides can make without sending it."""
    cycle = bytes(bytearray((31 * i + seed) & 255 for i in range(256)))
    return (cycle * (size // 256 + 1))[:size]


def from_json(value):
    """The Python value that a JSON value stands for."""
    if isinstance(value, list):
        return [from_json(item) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        (kind, body), = value.items()
        if kind in _READERS:
            return _READERS[kind](body)
    return {key: from_json(item) for key, item in value.items()}


def to_json(value):
    """The JSON value that stands for a Python value."""
    if isinstance(value, float) and (math.isinf(value) or math.isnan(value)):
        return {"$float": repr(value)}
    if value is None or isinstance(value, NUMBERS):
        return value
    if isinstance(value, TEXT):
        return value if len(value) <= LONGEST else _long("$long_str", value.encode())
    if isinstance(value, bytes):
        if len(value) <= LONGEST:
            return {"$bytes": _hex(value)}
        return _long("$long_bytes", value)
    if isinstance(value, msgpack.ExtType):
        return {"$ext": [value.code, _hex(value.data)]}
    if isinstance(value, msgpack.Timestamp):
        return {"$timestamp": [value.seconds, value.nanoseconds]}
    if isinstance(value, dict):
        if all(isinstance(key, TEXT) and not key.startswith("$") for key in value):
            return {key: to_json(item) for key, item in value.items()}
        return {"$map": [[to_json(k), to_json(v)] for k, v in value.items()]}
    if isinstance(value, (list, tuple)):
        return [to_json(item) for item in value]
    raise TypeError("no JSON form for a {}".format(type(value).__name__))


def same(left, right):
    """Equality that also compares types: `1`, `1.0` and `True` differ."""
    if isinstance(left, (list, tuple)) and isinstance(right, (list, tuple)):
        return len(left) == len(right) and all(map(same, left, right))
    if type(left) is not type(right):
        return False
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same(left[k], right[k]) for k in left)
    if isinstance(left, float) and math.isnan(left):
        return math.isnan(right)
    return left == right


def _long(kind, data):
    return {kind: {"size": len(data), "crc32": zlib.crc32(data) & 0xffffffff}}


def _hex(data):
    return binascii.hexlify(data).decode()


_READERS = {
    "$bytes": binascii.unhexlify,
    "$pattern": lambda body: pattern(body["size"], body["seed"]),
    "$repeat": lambda body: body["text"] * body["count"],
    "$float": float,
    "$ext": lambda body: msgpack.ExtType(body[0], binascii.unhexlify(body[1])),
    "$timestamp": lambda body: msgpack.Timestamp(body[0], body[1]),
    "$power": lambda body: body[0] ** body[1],
    "$map": lambda body: {_key(k): from_json(v) for k, v in body},
}


def _key(value):
    key = from_json(value)
    return tuple(key) if isinstance(key, list) else key
