# -*- coding: utf-8 -*-
"""An unmodified `zerorpc.Client`, driven by the test.

Requests (a CALL is {client, method, args, timeout?, slots?}):

    client {name, endpoint | endpoints | bind, timeout?, heartbeat?, passive_heartbeat?, ids?, header?}
                                     `ids` are the last 24 digits of its ids, which begin at 0;
                                     `header` is the task context of its calls
    call CALL + {expect?, async?}    one call in its own greenlet
    start CALL + {id}; join {id}     the same, without waiting
    storm CALL + {count}             `count` calls at once on one connection
    echoes {client, values}          echoes each value and compares, types included
    stream CALL + {take?, pause?}    closes it after `take` items, pauses after each
    start_stream, peek {id}          the same without waiting, and what came so far
    close {name}

What only its defects need:

    aftermath CALL + {wait}          what becomes of the greenlet that called while it does nothing
                                     for `wait` seconds: {called, after, pending, channels}
    drop CALL                        gets an iterator and drops it unread
    poll_late CALL                   polls the socket after the reply has come and before it was read
    emit {client, count, timeout}    events on one buffered channel, whoever grants nothing
    channels, lingers {client}       the channels it holds, and how long its socket lingers
    fork {count}                     ids that a process and its child make, as [parent, child]

An outcome is {elapsed} with {result} or {raised: {kind, message, …}}; a
RemoteError also has {name, traceback}. A stream's is {count, first_items,
last, in_order, elapsed} with {raised} if it broke; `in_order` says that the
items were 0, 1, 2 and so on.
"""

import os
import sys
import time

import gevent
import gevent.event
import zerorpc
import zmq

import control
import values

FIRST_ITEMS = 10


class Driver(object):
    """The clients of this process, by the names the test gave them."""

    def __init__(self):
        self._clients = {}
        self._started = {}
        self._streams = {}

    def handle(self, request):
        """Runs one request."""
        operation = request.pop("op")
        return getattr(self, "do_" + operation)(**request)

    def do_client(self, name, endpoint=None, endpoints=(), bind=None, ids=None, header=None,
                  **options):
        if ids is not None or header is not None:
            options["context"] = _context(ids, header)
        client = zerorpc.Client(**options)
        self._clients[name] = client
        endpoints = list(endpoints) if endpoint is None else [endpoint]
        for one in endpoints:
            client.connect(one)
        if endpoints:
            return None
        client.bind(bind)
        last = client._events._socket.getsockopt(zmq.LAST_ENDPOINT)
        return {"endpoint": last.rstrip(b"\0").decode()}

    def do_close(self, name):
        self._clients.pop(name).close()

    def do_call(self, **call):
        return gevent.spawn(self._outcome, call).get()

    def do_start(self, id, **call):
        self._started[id] = gevent.spawn(self._outcome, call)

    def do_join(self, id):
        return self._started.pop(id).get()

    def do_storm(self, count, **call):
        began = _now()
        greenlets = [gevent.spawn(self._outcome, dict(call)) for _ in range(count)]
        outcomes = [greenlet.get() for greenlet in greenlets]
        raised = [outcome["raised"] for outcome in outcomes if "raised" in outcome]
        return {
            "elapsed": _now() - began,
            "slowest": max(outcome["elapsed"] for outcome in outcomes),
            "answered": count - len(raised),
            "raised": raised[:3],
        }

    def do_echoes(self, client, values):
        return gevent.spawn(self._echoes, client, values).get()

    def do_stream(self, **call):
        return gevent.spawn(self._stream, **call).get()

    def do_start_stream(self, id, **call):
        self._streams[id] = seen = _nothing_seen()
        self._started[id] = gevent.spawn(self._stream, seen=seen, **call)

    def do_peek(self, id):
        return dict(self._streams[id])

    def do_aftermath(self, wait, **call):
        return gevent.spawn(self._aftermath, wait, call).get()

    def do_drop(self, **call):
        # The greenlet that the losses of its channel would be raised in is over at once.
        gevent.spawn(lambda: self._invoke(**call) and None).get()

    def do_poll_late(self, **call):
        called = gevent.spawn(self._outcome, call)
        gevent.sleep(0.1)
        # No greenlet runs while the reply arrives.
        time.sleep(0.3)
        poller = zmq.Poller()
        poller.register(self._clients[call["client"]]._events._socket, zmq.POLLIN)
        poller.poll(0)
        return called.get()

    def do_emit(self, client, count, timeout):
        channel = zerorpc.BufferedChannel(self._clients[client]._multiplexer.channel())

        def emit():
            for number in range(count):
                channel.emit("event", (number,), timeout=timeout)

        raised = _caught(emit).get("raised")
        return {"raised": raised, "credit": channel._remote_queue_open_slots}

    def do_channels(self, client):
        return len(self._clients[client]._multiplexer.active_channels)

    def do_lingers(self, client):
        return self._clients[client]._events._socket.getsockopt(zmq.LINGER)

    def do_fork(self, count):
        context = zerorpc.Context()
        # A context makes its first ids when it is asked for one.
        context.new_msgid()
        reader, writer = os.pipe()
        child = os.fork()
        ids = b" ".join(context.new_msgid() for _ in range(count))
        if child == 0:
            os.write(writer, ids)
            os._exit(0)
        os.waitpid(child, 0)
        return [ids.decode(), os.read(reader, len(ids)).decode()]

    def _aftermath(self, wait, call):
        called = _caught(lambda: self._invoke(**call))
        result = called.pop("result", None)
        after = _caught(lambda: gevent.sleep(wait))
        is_later = isinstance(result, gevent.event.AsyncResult)
        return {
            "called": called.get("raised"),
            "after": after.get("raised"),
            "pending": is_later and not result.ready(),
            "channels": self.do_channels(call["client"]),
        }

    def _echoes(self, client, wanted):
        for value in map(values.from_json, wanted):
            got = self._clients[client]("echo", value)
            if not values.same(got, value):
                raise AssertionError("sent {!r:.200}, received {!r:.200}".format(value, got))
        return len(wanted)

    def _outcome(self, call):
        expect = call.pop("expect", None)
        began = _now()
        outcome = _caught(lambda: _awaited(self._invoke(**call)))
        if expect is not None and "result" in outcome:
            wanted = values.from_json(expect)
            if not values.same(outcome["result"], wanted):
                raise AssertionError("expected {!r:.200}, received {!r:.200}".format(
                    wanted, outcome["result"]))
            outcome["result"] = "as expected"
        elif "result" in outcome:
            outcome["result"] = values.to_json(outcome["result"])
        outcome["elapsed"] = _now() - began
        return outcome

    def _invoke(self, client, method, args, **options):
        arguments = [values.from_json(arg) for arg in args]
        return self._clients[client](method, *arguments, **options)

    def _stream(self, take=None, pause=0, seen=None, **call):
        seen = seen or _nothing_seen()

        def receive():
            items = self._invoke(**call)
            for item in items:
                if seen["count"] < FIRST_ITEMS:
                    seen["first_items"].append(values.to_json(item))
                if not values.same(item, seen["count"]):
                    seen["in_order"] = False
                seen["count"] += 1
                seen["last"] = values.to_json(item)
                if pause:
                    gevent.sleep(pause)
                if seen["count"] == take:
                    items.close()
                    break

        began = _now()
        outcome = _caught(receive)
        outcome.pop("result", None)
        return dict(seen, elapsed=_now() - began, **outcome)


def _nothing_seen():
    return {"count": 0, "first_items": [], "last": None, "in_order": True}


def _now():
    # Python 2 has no clock that is never set.
    return getattr(time, "monotonic", time.time)()


def _context(ids, header):
    context = zerorpc.Context()
    if ids is not None:
        # What a forked process inherits.
        context._msg_id_base = ids.encode()
        context._msg_id_counter = 0
        context._msg_id_counter_stop = 2 ** 32
    if header is not None:
        context.register_middleware({"get_task_context": lambda: dict(header)})
    return context


def _awaited(result):
    return result.get() if isinstance(result, gevent.event.AsyncResult) else result


def _caught(function):
    try:
        return {"result": function()}
    except zerorpc.RemoteError as error:
        return {"raised": {
            "kind": "RemoteError", "name": values.to_json(error.name),
            "message": values.to_json(error.msg), "traceback": values.to_json(error.traceback)}}
    except Exception as error:
        return {"raised": {"kind": type(error).__name__, "message": str(error)}}


def main():
    driver = Driver()
    control.ready(python=sys.version.split()[0])
    threads = gevent.get_hub().threadpool
    while True:
        line = threads.apply(sys.stdin.readline)
        if not line:
            control.leave()
        control.answer(line, driver.handle)


if __name__ == "__main__":
    main()
