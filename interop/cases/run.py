"""One case with one peer in one direction: what it starts, what it counts, and what it checks."""

import time
from collections import Counter

from . import peers

# Short, so that losses are noticed in seconds, and twice as long as anybody stands still on a busy
# machine: a peer is given up after two of them.
HEARTBEAT = 2.0
# Longer than anything that is waited for in vain on a busy machine.
PATIENCE = 30.0

TO, FROM = "our client", "our server"
CASES = []


class CaseFailed(Exception):
    """What had to happen did not."""


class Case:
    """A named case. `text` says what must happen, `servers` is the number of hosts with servers."""

    def __init__(self, name, text, kinds, servers, function):
        self.name = name
        self.text = text
        self.kinds = kinds
        self.servers = servers
        self.function = function


def case(name, kinds=("python2.7", "python3", "node"), servers=1):
    """Makes a case of a function, whose documentation says what must happen."""
    def register(function):
        text = " ".join(function.__doc__.split())
        CASES.append(Case(name, text, kinds, servers, function))
        return function
    return register


def check(holds, what, *details):
    """Fails the case with `what` unless it holds."""
    if not holds:
        raise CaseFailed(" ".join([what] + [repr(detail)[:400] for detail in details]))


def kinds_of(theirs, direction):
    """The kinds of the client and of the server."""
    theirs, ours = peers.KINDS[theirs], peers.KINDS[peers.OURS]
    return (ours, theirs) if direction == TO else (theirs, ours)


class Run:
    """What a case has at hand: a host for the client, and one or more for servers, that nobody else
    uses. `tally` is what is shown of it."""

    def __init__(self, theirs, direction, hosts):
        self.direction = direction
        self.client_kind, self.server_kind = kinds_of(theirs, direction)
        self.client_host, *self.server_hosts = hosts
        self.tally = Counter()
        self.notes = []
        self._programs = []
        self._cleanups = []
        self._next_id = 0

    def their_host(self):
        """The host of the peer that is not ours."""
        return self.server_hosts[0] if self.direction == TO else self.client_host

    def server(self, heartbeat=5.0, name="Probe", host=None):
        host = host or self.server_hosts[0]
        return self.keep(peers.start_server(self.server_kind, host, heartbeat, name))

    def client(self, *endpoints, heartbeat=5.0, timeout=PATIENCE):
        endpoints = list(endpoints) or [self.endpoint()]
        client = peers.Client(self.client_kind, self.client_host, endpoints, heartbeat, timeout)
        self.keep(client.program)
        return client

    def endpoint(self):
        return self.server_hosts[0].endpoint(peers.PORT)

    def sockets(self):
        """Two programs with ZeroMQ sockets: one on the host of the server, one on the client's."""
        pairs = ((self.server_hosts[0], self.server_kind), (self.client_host, self.client_kind))
        return tuple(self.keep(host.start(kind.sockets + ["{}"])) for host, kind in pairs)

    def keep(self, program):
        self._programs.append(program)
        return program

    def later(self, host, cleanup):
        """Something to be done for a host when the case is over, however it ends."""
        self._cleanups.append((host, cleanup))

    def next_id(self):
        self._next_id += 1
        return self._next_id

    def shown(self):
        """The counts in one line."""
        counts = ["{} {}".format(count, kind) for kind, count in sorted(self.tally.items())]
        return ", ".join(counts + self.notes)

    def finish(self):
        """Heals the hosts and ends the programs. What fails does not keep the rest from being done;
        its host is unfit for other cases, and the first failure is raised in the end."""
        steps = self._cleanups + [
            (host, host.heal) for host in [self.client_host] + self.server_hosts]
        steps += [(program.host, program.close) for program in self._programs]
        steps += [(program.host, program.wait) for program in self._programs]
        self._cleanups, self._programs = [], []
        failures = []
        for host, step in steps:
            try:
                step()
            except Exception as error:
                host.is_fit = False
                failures.append(error)
        if failures:
            raise failures[0]


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

    def settle(self, within, first=None):
        """Waits for the end of each, or of the `first` ones; returns how many ended how."""
        counts = Counter()
        for work in list(self._open)[:first]:
            identity = self._open.pop(work)
            outcome = self._client.join(identity, deadline=within + PATIENCE)
            check(outcome.kind != "error", "neither answered nor lost:", outcome)
            if outcome.kind == "answered":
                check(outcome.result == work, "a wrong answer to {}:".format(work), outcome)
            else:
                self.lost.append(work)
            check(outcome.elapsed < within, "ended after more than {} s:".format(within), outcome)
            counts[outcome.kind] += 1
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


