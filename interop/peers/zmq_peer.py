# -*- coding: utf-8 -*-
"""A libzmq socket of any type, driven by the test.

Requests (`name` is the socket, `parts` a list of values, see values.py):

    socket {name, type, options}     bind {name, endpoint} -> endpoint
    connect / disconnect / unbind {name, endpoint}
    set {name, option, value}        close {name}
    send {name, parts}               recv {name, expect?, skip?} -> parts
    recv_properties {name, properties} -> properties of the next part
    send_numbered {name, count, size}
    recv_numbered {name, count, size, first?}
    echo {name, count}               sends back what it receives, all parts
    fill {name, size, limit, quiet}  sends without waiting until refused
    drain {name, quiet, until?}      everything until nothing comes for `quiet` s, or this has come
    authenticate {users, certificates?}
                                     starts a ZAP handler: names and passwords for PLAIN, and for
                                     CURVE the keys in a directory, or any
    forward {frontend, backend} -> endpoint
                                     starts a proxy from a ROUTER that binds `frontend` to a DEALER
                                     that connects to `backend`
    monitor {name}                   events {name} -> names of events so far
    await_event {name, event}        reads events until this one
    await_alone {name}               waits until a socket that binds has nobody to send to
    certificates {path, name}        writes a pair of certificates
    curve_keypair                    a public and a secret key, in Z85
    curve_public {secret}            the public key of a secret one, both in Z85
    z85_encode {data} -> text        z85_decode {text, expect}

Every operation that would wait longer than `timeout` (40 s) fails.
"""

import struct
import sys
import threading
import time

import zmq
import zmq.auth
import zmq.auth.thread
import zmq.utils.monitor
import zmq.utils.z85

import control
import values

TIMEOUT = 40.0

# Python 2 has neither of the later ones.
_now = getattr(time, "monotonic", time.time)


class Peer:
    """The sockets of this process, by the names the test gave them."""

    def __init__(self):
        self._context = zmq.Context()
        self._sockets = {}
        self._monitors = {}
        self._authenticator = None
        self._proxies = []

    def handle(self, request):
        """Runs one request."""
        operation = request.pop("op")
        return getattr(self, "do_" + operation)(**request)

    def close(self):
        """Drops every socket with whatever it still wanted to send."""
        for name in list(self._sockets):
            self.do_close(name)
        for proxy in self._proxies:
            proxy.stop()
        if self._authenticator is not None:
            self._authenticator.stop()
        self._context.destroy(linger=0)

    def do_socket(self, name, type, options=None):
        socket = self._context.socket(getattr(zmq, type))
        socket.setsockopt(zmq.LINGER, 0)
        for option, value in (options or {}).items():
            socket.setsockopt(getattr(zmq, option), _option(value))
        self._sockets[name] = socket

    def do_bind(self, name, endpoint):
        socket = self._sockets[name]
        deadline = _now() + TIMEOUT
        while True:
            try:
                socket.bind(endpoint)
                break
            except zmq.ZMQError as error:
                # A port that was just released can stay taken for a moment.
                if error.errno != zmq.EADDRINUSE or _now() > deadline:
                    raise
                time.sleep(0.02)
        return {"endpoint": socket.getsockopt(zmq.LAST_ENDPOINT).rstrip(b"\0").decode()}

    def do_unbind(self, name, endpoint):
        self._sockets[name].unbind(endpoint)

    def do_connect(self, name, endpoint):
        self._sockets[name].connect(endpoint)

    def do_disconnect(self, name, endpoint):
        self._sockets[name].disconnect(endpoint)

    def do_set(self, name, option, value):
        self._sockets[name].setsockopt(getattr(zmq, option), _option(value))

    def do_close(self, name):
        monitor = self._monitors.pop(name, None)
        if monitor is not None:
            self._sockets[name].disable_monitor()
            monitor.close(0)
        self._sockets.pop(name).close(0)

    def do_send(self, name, parts, timeout=TIMEOUT):
        self._send(name, [values.from_json(part) for part in parts], timeout)

    def do_recv(self, name, expect=None, skip=None, timeout=TIMEOUT):
        parts = self._recv(name, timeout)
        while skip is not None and parts == [_binary(part) for part in skip]:
            parts = self._recv(name, timeout)
        if expect is None:
            return [values.to_json(part) for part in parts]
        wanted = [_binary(part) for part in expect]
        if parts != wanted:
            raise AssertionError("expected {}, received {}".format(_short(wanted), _short(parts)))
        return None

    def do_recv_properties(self, name, properties, timeout=TIMEOUT):
        socket = self._sockets[name]
        if not socket.poll(timeout * 1000, zmq.POLLIN):
            raise control.TimedOut("nothing was received for {} s".format(timeout))
        frame = socket.recv(copy=False)
        return {wanted: frame.get(wanted) for wanted in properties}

    def do_send_numbered(self, name, count, size, first=0, head=(), timeout=TIMEOUT):
        padding = b"." * (size - 8)
        head = [_binary(part) for part in head]
        for number in range(first, first + count):
            self._send(name, head + [struct.pack(">Q", number) + padding], timeout)

    def do_recv_numbered(self, name, count, size, first=0, timeout=TIMEOUT):
        for number in range(first, first + count):
            body = self._recv(name, timeout)[-1]
            if len(body) != size or struct.unpack(">Q", body[:8])[0] != number:
                raise AssertionError("expected number {} of {} bytes, received {}".format(
                    number, size, _short([body])))

    def do_echo(self, name, count, timeout=TIMEOUT):
        for _ in range(count):
            self._send(name, self._recv(name, timeout), timeout)

    def do_fill(self, name, size, limit, quiet=0.5):
        body = b"f" * size
        sent = 0
        deadline = _now() + quiet
        while sent < limit and _now() < deadline:
            try:
                self._sockets[name].send(body, zmq.DONTWAIT)
            except zmq.Again:
                time.sleep(0.005)
            else:
                sent += 1
                deadline = _now() + quiet
        return {"sent": sent, "refused": sent < limit}

    def do_drain(self, name, quiet=0.3, until=None):
        last = None if until is None else [_binary(part) for part in until]
        messages = []
        while self._sockets[name].poll(quiet * 1000, zmq.POLLIN):
            parts = self._sockets[name].recv_multipart()
            messages.append([values.to_json(part) for part in parts])
            if parts == last:
                break
        return messages

    def do_authenticate(self, users, certificates=zmq.auth.CURVE_ALLOW_ANY):
        self._authenticator = zmq.auth.thread.ThreadAuthenticator(self._context)
        self._authenticator.start()
        self._authenticator.configure_plain(domain="*", passwords=users)
        self._authenticator.configure_curve(domain="*", location=certificates)

    def do_forward(self, frontend, backend):
        proxy = Proxy(self._context, frontend, backend, len(self._proxies))
        self._proxies.append(proxy)
        return {"endpoint": proxy.endpoint}

    def do_monitor(self, name):
        self._monitors[name] = self._sockets[name].get_monitor_socket()

    def do_events(self, name):
        names = []
        while self._monitors[name].poll(0):
            event = zmq.utils.monitor.recv_monitor_message(self._monitors[name])
            names.append(_event_name(event["event"]))
        return names

    def do_await_event(self, name, event, timeout=TIMEOUT):
        deadline = _now() + timeout
        while _now() < deadline:
            if self._monitors[name].poll(100):
                message = zmq.utils.monitor.recv_monitor_message(self._monitors[name])
                if _event_name(message["event"]) == event:
                    return
        raise control.TimedOut("no {} for {} s".format(event, timeout))

    def do_await_alone(self, name, timeout=TIMEOUT):
        # A monitor tells of the end before the socket lets go of the peer, and what is sent
        # between the two is lost.
        deadline = _now() + timeout
        while self._sockets[name].poll(0, zmq.POLLOUT):
            if _now() > deadline:
                raise control.TimedOut("somebody is there after {} s".format(timeout))
            time.sleep(0.001)

    def do_certificates(self, path, name):
        zmq.auth.create_certificates(path, name, metadata={"owner": name})

    def do_curve_keypair(self):
        return [key.decode() for key in zmq.curve_keypair()]

    def do_curve_public(self, secret):
        return zmq.curve_public(secret.encode()).decode()

    def do_z85_encode(self, data):
        return zmq.utils.z85.encode(_binary(data)).decode()

    def do_z85_decode(self, text, expect):
        decoded = zmq.utils.z85.decode(text)
        if decoded != _binary(expect):
            raise AssertionError("{} was decoded as {}".format(text, _short([decoded])))

    def _send(self, name, parts, timeout):
        socket = self._sockets[name]
        if not socket.poll(timeout * 1000, zmq.POLLOUT):
            raise control.TimedOut("nothing could be sent for {} s".format(timeout))
        deadline = _now() + timeout
        while True:
            try:
                return socket.send_multipart([_bytes(part) for part in parts])
            except zmq.ZMQError as error:
                # A ROUTER with ROUTER_MANDATORY whose peer is still connecting.
                if error.errno != zmq.EHOSTUNREACH or _now() > deadline:
                    raise
                time.sleep(0.01)

    def _recv(self, name, timeout):
        socket = self._sockets[name]
        if not socket.poll(timeout * 1000, zmq.POLLIN):
            raise control.TimedOut("nothing was received for {} s".format(timeout))
        return socket.recv_multipart()


class Proxy:
    """Two sockets, and the thread that passes on what comes, unchanged."""

    def __init__(self, context, frontend, backend, number):
        router, dealer, steering = (
            context.socket(kind) for kind in (zmq.ROUTER, zmq.DEALER, zmq.PAIR))
        self._control = context.socket(zmq.PAIR)
        self._control.bind("inproc://proxy-{}".format(number))
        steering.connect("inproc://proxy-{}".format(number))
        router.bind(frontend)
        dealer.connect(backend)
        self.endpoint = router.getsockopt(zmq.LAST_ENDPOINT).rstrip(b"\0").decode()
        self._thread = threading.Thread(target=self._run, args=(router, dealer, steering))
        self._thread.daemon = True
        self._thread.start()

    def stop(self):
        self._control.send(b"TERMINATE")
        self._thread.join(TIMEOUT)
        self._control.close(0)

    @staticmethod
    def _run(router, dealer, steering):
        zmq.proxy_steerable(router, dealer, None, steering)
        for socket in (router, dealer, steering):
            socket.close(0)


def _binary(value):
    return _bytes(values.from_json(value))


def _bytes(value):
    return value if isinstance(value, bytes) else value.encode("utf-8")


def _option(value):
    value = values.from_json(value)
    return value if isinstance(value, int) else _bytes(value)


def _event_name(number):
    """The name of an event of a monitor; older releases of pyzmq have the numbers alone."""
    if hasattr(zmq, "Event"):
        return zmq.Event(number).name
    names = [name for name in dir(zmq) if name.startswith("EVENT_")]
    return next(name[len("EVENT_"):] for name in names if getattr(zmq, name) == number)


def _short(parts):
    return [part if len(part) <= 64 else "{} bytes {!r}…".format(len(part), part[:16])
            for part in parts]


def main():
    peer = Peer()
    control.ready(libzmq=zmq.zmq_version(), pyzmq=zmq.pyzmq_version())
    # Iterating over the file would read ahead in Python 2.
    for line in iter(sys.stdin.readline, ""):
        control.answer(line, peer.handle)
    peer.close()
    control.leave()


if __name__ == "__main__":
    main()
