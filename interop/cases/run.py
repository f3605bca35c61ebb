"""One case with one peer in one direction: what it starts, what it counts, and what it checks."""

import time
from collections import Counter

from . import peers

# Short, so that losses are noticed in seconds; a peer is given up after two of them.
HEARTBEAT = 1.0
# Longer than anything that is waited for in vain on a busy machine.
PATIENCE = 30.0

TO, FROM = "our client", "our server"
CASES = []


class CaseFailed(Exception):
    """What had to happen did not."""


class Case:
    """A named case. `text` says what must happen."""

    def __init__(self, name, text, kinds, function):
        self.name = name
        self.text = text
        self.kinds = kinds
        self.function = function


def case(name, kinds=("python2.7", "python3", "node")):
    """Makes a case of a function, whose documentation says what must happen."""
    def register(function):
        text = " ".join(function.__doc__.split())
        CASES.append(Case(name, text, kinds, function))
        return function
    return register


def check(holds, what, *details):
    """Fails the case with `what` unless it holds."""
    if not holds:
        raise CaseFailed(" ".join([what] + [repr(detail)[:400] for detail in details]))


class Run:
    """What a case has at hand. `tally` is what is shown of it."""

    def __init__(self, world, theirs, direction):
        self.world = world
        self.direction = direction
        self.theirs = peers.KINDS[theirs]
        ours = peers.KINDS[peers.OURS]
        self.client_kind, self.server_kind = (
            (ours, self.theirs) if direction == TO else (self.theirs, ours))
        self.tally = Counter()
        self.notes = []
        self._programs = []
        self._cleanups = []
        self._hosts = []
        self._next_id = 0

    def host(self, kind):
        host = self.world.host(kind.host)
        self._hosts.append(host)
        return host

    def second_host(self, kind):
        """Another host of the same kind, or if there is none, the same."""
        name = kind.host + "-second"
        if not self.world.has(name):
            return self.host(kind)
        host = self.world.host(name)
        self._hosts.append(host)
        return host

    def server(self, heartbeat=5.0, name="Probe", host=None, port=peers.PORT):
        host = host or self.host(self.server_kind)
        return self.keep(peers.start_server(self.server_kind, host, heartbeat, name, port))

    def client(self, *endpoints, heartbeat=5.0, timeout=PATIENCE):
        host = self.host(self.client_kind)
        endpoints = list(endpoints) or [self.endpoint()]
        client = peers.Client(self.client_kind, host, endpoints, heartbeat, timeout)
        self.keep(client.program)
        return client

    def endpoint(self):
        return self.host(self.server_kind).endpoint(peers.PORT)

    def sockets(self, kind):
        """A program with ZeroMQ sockets."""
        return self.keep(self.host(kind).start(kind.sockets + ["{}"]))

    def keep(self, program):
        self._programs.append(program)
        return program

    def later(self, cleanup):
        """Something to be done when the case is over, however it ends."""
        self._cleanups.append(cleanup)

    def next_id(self):
        self._next_id += 1
        return self._next_id

    def shown(self):
        """The counts in one line."""
        counts = ["{} {}".format(count, kind) for kind, count in sorted(self.tally.items())]
        return ", ".join(counts + self.notes)

    def finish(self):
        for cleanup in self._cleanups:
            cleanup()
        for host in self._hosts:
            host.heal()
        for program in self._programs:
            program.close()
        for program in self._programs:
            program.wait()


class Ledger:
    """Accounts for calls of `work`: each is answered rightly or reported lost, in time, once."""

    def __init__(self, run, client):
        self._run = run
        self._client = client
        self._open = {}
        self.lost = []

    def begin(self, count, seconds):
        """Starts calls that take up to `seconds`, evenly spread."""
        for number in range(count):
            work = self._run.next_id()
            takes = seconds * (number + 1) / count
            self._open[work] = self._client.start("work", work, takes)

    def settle(self, within):
        """Waits for the end of each; returns how many ended how."""
        counts = Counter()
        for work, identity in self._open.items():
            outcome = self._client.join(identity, deadline=within + PATIENCE)
            check(outcome.kind != "error", "neither answered nor lost:", outcome)
            if outcome.kind == "answered":
                check(outcome.result == work, "a wrong answer to {}:".format(work), outcome)
            else:
                self.lost.append(work)
            check(outcome.elapsed < within, "ended after more than {} s:".format(within), outcome)
            counts[outcome.kind] += 1
        self._open.clear()
        self._run.tally.update(counts)
        return counts

    def once(self, server):
        """No call ran twice on a server."""
        works = Counter(server.request("works"))
        twice = [work for work, count in works.items() if count > 1]
        check(not twice, "these ran twice:", twice)
        return set(works)


def until_answered(run, client, method="add", args=(1, 2), within=PATIENCE):
    """Calls again until one call is answered; returns its result. Those before are counted."""
    began = time.monotonic()
    while True:
        outcome = client.call(method, *args)
        if outcome.kind == "answered":
            run.tally["answered"] += 1
            return outcome.result
        check(outcome.kind != "error", "neither answered nor lost:", outcome)
        run.tally[outcome.kind] += 1
        waited = time.monotonic() - began
        check(waited < within, "still not answered after {:.0f} s:".format(waited), outcome)
        time.sleep(0.2)


