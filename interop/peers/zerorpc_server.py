# -*- coding: utf-8 -*-
"""An unmodified `zerorpc.Server` with a method for every behaviour to be seen.

Settings (one JSON object on the command line), all optional:

    bind / connect   endpoints (default: bind a free port of the loopback interface)
    heartbeat        seconds, or null for none (default 5)
    pool_size        limit of concurrent calls (default null)
    name             the service name (default: of the class)
    hooks            true: middleware notes its hooks in the journal, and returns the
                     trace_id of the request in the header of the reply
    getargspec       "as is" (default), "restored" or "removed": see compat.py

    reshape          true: middleware gives replies the shapes of other implementations: the one to
                     `nothing` has no result, and an error whose message is "nils" or "alone" has
                     no name and no traceback

Requests: `journal` -> what happened to the streams, in order; `stop` stops the
server as its users do; `channels` -> channels that the server still holds;
`works` -> the ids that `work` was called with; `dictionary` -> the keys of a dictionary of
one method after a server was made of it.
"""

import sys
import time
import zlib

import compat
import control
import values

SETTINGS = control.arguments()
if SETTINGS.get("getargspec") == "restored":
    compat.restore_getargspec()
elif SETTINGS.get("getargspec") == "removed":
    compat.remove_getargspec()

import gevent  # noqa: E402  (after the settings)
import msgpack  # noqa: E402
import zerorpc  # noqa: E402
import zmq  # noqa: E402

JOURNAL = []
WORKS = []


class CustomError(Exception):
    """An exception of this service."""


class Probe(object):
    """Methods to be called from the other side."""

    def hello(self, name):
        """Greets somebody.

        The greeting is in English.
        """
        return "Hello, {}".format(name)

    def add(self, a, b=1):
        """Adds two numbers."""
        return a + b

    def echo(self, value):
        return value

    def arguments(self, *args):
        """Says how the arguments arrived."""
        return [type(arg).__name__ for arg in args]

    def nothing(self):
        pass

    def stop(self):
        """Never offered: the server has a method of that name itself."""

    def types(self):
        """One value of every kind."""
        return {
            "nil": None, "true": True, "false": False,
            "zero": 0, "fixint": 127, "negative": -32, "u8": 255, "u16": 65535, "u32": 2 ** 32 - 1,
            "u64": 2 ** 64 - 1, "i8": -128, "i16": -2 ** 15, "i32": -2 ** 31, "i64": -2 ** 63,
            "float": 1.5, "infinity": float("inf"), "str": u"déjà vu €", "str8": "s" * 200,
            "str16": "s" * 300, "bin": b"\x00\xff\xfe", "empty": b"", "list": [1, [2, []]],
            "tuple": (1, 2), "map": {"k": {"n": None}}, "ext": msgpack.ExtType(5, b"abc"),
            "timestamp": msgpack.Timestamp(1700000000, 5),
        }

    def binary(self, size):
        """Binary of the given size."""
        return values.pattern(size, 7)

    def measure(self, value):
        """Size and checksum of binary."""
        return [len(value), zlib.crc32(value) & 0xffffffff]

    def fail(self, message):
        """Raises ValueError."""
        raise ValueError(message)

    def fail_custom(self):
        raise CustomError(u"déjà vu")

    def unserializable(self):
        return object()

    def leave(self, code):
        """Ends more than the call."""
        sys.exit(code)

    def wait(self, seconds):
        """Answers later; other calls go on."""
        gevent.sleep(seconds)
        return seconds

    def work(self, id, seconds):
        """Answers later, and notes that it was called."""
        WORKS.append(id)
        gevent.sleep(seconds)
        return id

    def block(self, seconds):
        """Answers later; the whole server stands still."""
        time.sleep(seconds)
        return seconds

    @zerorpc.stream
    def count(self, to):
        """Counts from zero."""
        return iter(range(to))

    @zerorpc.stream
    def no_items(self):
        return []

    @zerorpc.stream
    def words(self):
        return iter(["a", None, [], {"k": 1}, b"\x00", 0, False])

    @zerorpc.stream
    def fail_after(self, items):
        """A stream that breaks."""
        for item in range(items):
            yield item
        raise CustomError("after {}".format(items))

    @zerorpc.stream
    def endless(self):
        """Goes on until the receiver is gone; the journal says how it ended."""
        produced = 0
        try:
            while True:
                yield produced
                produced += 1
        except BaseException as error:
            JOURNAL.append({"ended": type(error).__name__, "produced": produced})
            raise

    @zerorpc.stream
    def produced(self, to):
        """Counts; the journal says how far the producer is ahead."""
        for number in range(to):
            JOURNAL.append(number)
            yield number

    @zerorpc.stream
    def slow_stream(self, items, pause):
        """Items with a pause before each."""
        for number in range(items):
            gevent.sleep(pause)
            yield number


class Hooks(object):
    """Middleware for one call at a time."""

    def __init__(self):
        self.trace_id = None

    def load_task_context(self, header):
        JOURNAL.append("load_task_context")
        self.trace_id = header.get("trace_id")

    def get_task_context(self):
        JOURNAL.append("get_task_context")
        return {"trace_id": self.trace_id}

    def server_before_exec(self, request):
        JOURNAL.append("server_before_exec")

    def server_after_exec(self, request, reply):
        JOURNAL.append("server_after_exec")

    def server_inspect_exception(self, request, reply, task_context, exc_info):
        JOURNAL.append("server_inspect_exception")


class Reshape(object):
    """Middleware that edits replies."""

    def server_after_exec(self, request, reply):
        if request.name == "nothing":
            reply._args = ()

    def server_inspect_exception(self, request, reply, task_context, exc_info):
        message = str(exc_info[1])
        shapes = {"nils": (message, None, None), "alone": (message,)}
        reply._args = shapes.get(message, reply.args)


def keys_of_offered_dictionary():
    methods = {"method": lambda: None}
    zerorpc.Server(methods).close()
    return sorted(methods)


def main():
    context = zerorpc.Context()
    if SETTINGS.get("hooks"):
        context.register_middleware(Hooks())
    if SETTINGS.get("reshape"):
        context.register_middleware(Reshape())
    server = zerorpc.Server(
        Probe(), name=SETTINGS.get("name"), heartbeat=SETTINGS.get("heartbeat", 5),
        pool_size=SETTINGS.get("pool_size"), context=context)
    endpoints = []
    if "connect" in SETTINGS:
        server.connect(SETTINGS["connect"])
    if "bind" in SETTINGS or "connect" not in SETTINGS:
        server.bind(SETTINGS.get("bind", "tcp://127.0.0.1:*"))
        last = server._events._socket.getsockopt(zmq.LAST_ENDPOINT)
        endpoints.append(last.rstrip(b"\0").decode())
    running = gevent.spawn(server.run)

    def handle(request):
        if request["op"] == "journal":
            return list(JOURNAL)
        if request["op"] == "works":
            return list(WORKS)
        if request["op"] == "channels":
            return len(server._multiplexer.active_channels)
        if request["op"] == "dictionary":
            return keys_of_offered_dictionary()
        if request["op"] == "stop":
            server.stop()
            running.join(timeout=10)
            return None
        raise ValueError("unknown request")

    control.ready(endpoint=endpoints[0] if endpoints else None, python=sys.version.split()[0])
    threads = gevent.get_hub().threadpool
    while True:
        line = threads.apply(sys.stdin.readline)
        if not line:
            control.leave()
        control.answer(line, handle)


if __name__ == "__main__":
    main()
