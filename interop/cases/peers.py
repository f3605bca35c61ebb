"""How a server, a client and a socket of each kind of peer are started and asked."""

import json

PORT = 4242
OURS = "ours"


class Kind:
    """A kind of peer: the commands of its programs."""

    def __init__(self, host, server, client, sockets=None, command=None, offers=()):
        self.host = host
        self.server = server
        self.client = client
        self.sockets = sockets
        self.command = command
        self._offers = offers

    def offers(self, what):
        """Whether its library has something that not all have."""
        return what in self._offers


def _python(host, interpreter, offers):
    def program(name):
        return [interpreter, "/peers/{}.py".format(name)]

    return Kind(host, program("zerorpc_server"), program("zerorpc_client"), program("zmq_peer"),
                program("zerorpc_command"), offers)


def _ours():
    def program(role):
        return ["/interop-peer", role]

    offers = ("names", "channels", "immediate")
    return Kind(OURS, program("server"), program("client"), program("sockets"), ["/zrpc"], offers)


KINDS = {
    OURS: _ours(),
    "python2.7": _python("python2.7", "python2.7", ("names", "channels")),
    "python3": _python("python3", "python3", ("names", "channels")),
    "libzmq": _python("python3", "python3", ()),
    "node": Kind("node", ["node", "/peers/zerorpc_node.js"], ["node", "/peers/zerorpc_node.js"]),
}

# How each names the ends of a call that was not answered.
LOST = {"LostRemote": "LostRemote", "HeartbeatError": "LostRemote", "Disconnected": "Disconnected",
        "TimeoutExpired": "Timeout", "TimeoutError": "Timeout"}


class Outcome:
    """How a call or a stream ended: `kind` is `answered`, `error` or what was lost."""

    def __init__(self, reply):
        self.reply = reply
        self.result = reply.get("result")
        self.elapsed = reply["elapsed"]
        raised = reply.get("raised")
        if raised is None:
            self.kind, self.error = "answered", None
        else:
            own = raised.get("kind") or raised["name"]
            # Our server says so when it gives a call up whose client may be there.
            if raised.get("name") == "LostRemote":
                own = "LostRemote"
            self.kind = LOST.get(own, "error")
            # What Python 2 and 3 call the same.
            self.error = (raised.get("name") or own, raised["message"])

    def __repr__(self):
        return "{} {!r:.300}".format(self.kind, self.reply)


class Client:
    """A client of some kind, connected to `endpoints`."""

    def __init__(self, kind, host, endpoints, heartbeat, timeout):
        self.host = host
        self._ids = 0
        if kind.host == "node":
            settings = {"endpoints": endpoints, "timeout": timeout,
                        "heartbeat": int(heartbeat * 1000)}
            self._common = {}
        else:
            settings = {}
            self._common = {"client": "c"}
        self.program = host.start(kind.client + [json.dumps(settings)])
        if self._common:
            self.program.request("client", name="c", endpoints=endpoints, heartbeat=heartbeat,
                                 timeout=timeout)

    def call(self, method, *args, **options):
        return Outcome(self._ask("call", method, args, **options))

    def start(self, method, *args):
        return self._begin("start", method, args)

    def stream(self, method, *args):
        return Outcome(self._ask("stream", method, args))

    def start_stream(self, method, *args):
        return self._begin("start_stream", method, args)

    def peek(self, identity):
        return self.program.request("peek", id=identity)

    def join(self, identity, deadline=60):
        return Outcome(self.program.request("join", deadline=deadline, id=identity))

    def _begin(self, op, method, args):
        self._ids += 1
        self._ask(op, method, args, id=self._ids)
        return self._ids

    def _ask(self, op, method, args, **fields):
        return self.program.request(
            op, method=method, args=list(args), **dict(self._common, **fields))


def start_server(kind, host, heartbeat, name="Probe"):
    """A server on `host`."""
    seconds = int(heartbeat * 1000) if kind.host == "node" else heartbeat
    settings = {"bind": host.listening(PORT), "heartbeat": seconds, "name": name}
    return host.start(kind.server + [json.dumps(settings)])
