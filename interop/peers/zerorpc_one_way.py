# -*- coding: utf-8 -*-
"""An unmodified `zerorpc.Publisher`, `Subscriber`, `Pusher` or `Puller`.

Settings (one JSON object on the command line):

    role             "Publisher", "Subscriber", "Pusher" or "Puller"
    bind / connect   endpoints (default: bind a free port of the loopback interface)
    by               "inheritance" (default) or "composition": where a receiver has its methods
    context          entries that middleware puts into the header of what is sent

Requests of senders: `emit {method, args, count?}`.

Requests of receivers, which have the methods `note(*args)`, `fail(message)` and the stream
`count(to)`: `wait {count}` -> the arguments of that many notes, which are forgotten then;
`journal` -> `{headers, errors, iterated, ended}`: what middleware saw, the names of exceptions,
items of the stream that were made, and the exception that ended `run`, if it has ended.
"""

import sys

import control
import values

import gevent
import zerorpc
import zmq

SETTINGS = control.arguments()
JOURNAL = {"headers": [], "errors": [], "iterated": 0, "ended": None}
NOTES = []


class Methods(object):
    """What is told to us."""

    def note(self, *args):
        NOTES.append(values.to_json(args))

    def fail(self, message):
        raise ValueError(message)

    @zerorpc.stream
    def count(self, to):
        for number in range(to):
            JOURNAL["iterated"] += 1
            yield number


class InheritingPuller(Methods, zerorpc.Puller):
    """Methods by inheritance."""


class InheritingSubscriber(Methods, zerorpc.Subscriber):
    """Methods by inheritance."""


class Middleware(object):
    """Entries of the header, in both directions."""

    def get_task_context(self):
        return SETTINGS.get("context", {})

    def load_task_context(self, header):
        JOURNAL["headers"].append({
            str(key): values.to_json(value) for key, value in header.items()
            if key not in ("message_id", "v")})

    def server_inspect_exception(self, request, reply, task_context, exc_info):
        JOURNAL["errors"].append(exc_info[0].__name__)


def make(context):
    role = SETTINGS["role"]
    if role in ("Publisher", "Pusher"):
        return getattr(zerorpc, role)(context=context)
    if SETTINGS.get("by") == "composition":
        return getattr(zerorpc, role)(methods=Methods(), context=context)
    return {"Puller": InheritingPuller, "Subscriber": InheritingSubscriber}[role](context=context)


def run(receiver):
    try:
        receiver.run()
    except Exception as error:
        JOURNAL["ended"] = type(error).__name__


def wait(count):
    with gevent.Timeout(30, RuntimeError("{} notes of {}".format(len(NOTES), count))):
        while len(NOTES) < count:
            gevent.sleep(0.005)
    taken = NOTES[:count]
    del NOTES[:count]
    return taken


def main():
    context = zerorpc.Context()
    context.register_middleware(Middleware())
    peer = make(context)
    endpoints = []
    if "connect" in SETTINGS:
        peer.connect(SETTINGS["connect"])
    else:
        peer.bind(SETTINGS.get("bind", "tcp://127.0.0.1:*"))
        last = peer._events._socket.getsockopt(zmq.LAST_ENDPOINT)
        endpoints.append(last.rstrip(b"\0").decode())
    if hasattr(peer, "run") and SETTINGS["role"] in ("Subscriber", "Puller"):
        gevent.spawn(run, peer)

    def handle(request):
        operation = request["op"]
        if operation == "emit":
            for _ in range(request.get("count", 1)):
                peer(request["method"], *[values.from_json(arg) for arg in request["args"]])
            return None
        if operation == "wait":
            return wait(request["count"])
        if operation == "journal":
            return JOURNAL
        raise ValueError("unknown request")

    control.ready(endpoint=endpoints[0] if endpoints else None, python=sys.version.split()[0])
    threads = gevent.get_hub().threadpool
    while True:
        line = threads.apply(sys.stdin.readline)
        if not line:
            control.leave()
        control.answer(line, lambda request: gevent.spawn(handle, request).get())


if __name__ == "__main__":
    main()
