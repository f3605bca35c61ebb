"""Cases of hosts and links that fail.

In each of them every call is answered, or reported as lost (`LostRemote`, `Disconnected`) or as
timed out: none ends in silence, none gets a wrong answer, none runs twice on one server.
"""

import time

from .peers import PORT
from .run import HEARTBEAT, PATIENCE, TO, Ledger, case, check, until_answered

# Two heartbeats until a peer is given up, and what a busy machine adds.
NOTICED = 2 * HEARTBEAT + 16
# Calls that only the fault of the case ends take so long that they are never answered before it.
FOREVER = 6000.0


@case("kill -9 during 100 calls")
def killed(run):
    """The server is killed while 100 calls run: at least 10 were answered, and the others are lost,
    in time."""
    server = run.server(heartbeat=HEARTBEAT)
    client = run.client(heartbeat=HEARTBEAT)
    check(client.call("add", 1, 2).result == 3, "not connected")
    ledger = Ledger(run, client)
    ledger.begin(10, 0.5)
    ledger.begin(30, 8.0)
    ledger.begin(60, FOREVER)
    counts = ledger.settle(within=PATIENCE, first=10)
    check(counts["answered"] == 10, "before it was killed:", counts)
    server.kill()
    ledger.settle(within=NOTICED)
    check(len(ledger.lost) >= 60, "answered by a dead server:", run.tally)
    check(sum(run.tally.values()) == 100, "ended", run.tally)


@case("restart on the same address")
def restarted(run):
    """Calls that run when the server dies are lost; the same client reaches the next server on its
    address, where no call that was reported as lost runs if the client is ours."""
    server = run.server(heartbeat=HEARTBEAT)
    client = run.client(heartbeat=HEARTBEAT)
    check(client.call("add", 1, 2).result == 3, "not connected")
    ledger = Ledger(run, client)
    ledger.begin(20, FOREVER)
    _until(lambda: len(server.request("works")) == 20, PATIENCE, "the calls did not begin")
    server.kill()
    counts = ledger.settle(within=NOTICED)
    check(len(ledger.lost) >= 20, "answered by a dead server:", counts)
    server.wait()
    server = run.server(heartbeat=HEARTBEAT)
    until_answered(run, client)
    ledger.begin(20, 0.5)
    counts = ledger.settle(within=PATIENCE)
    check(counts["answered"] == 20, "after the restart:", counts)
    again = ledger.once(server).intersection(ledger.lost)
    check(not again or not run.client_kind.offers("immediate"), "lost, and yet run:", again)


@case("pause of the server")
def paused(run):
    """The server stands still for longer than two heartbeats: the calls that run are lost, and the
    next ones are answered when it goes on."""
    server = run.server(heartbeat=HEARTBEAT)
    client = run.client(heartbeat=HEARTBEAT)
    check(client.call("add", 1, 2).result == 3, "not connected")
    ledger = Ledger(run, client)
    ledger.begin(20, FOREVER)
    _until(lambda: len(server.request("works")) == 20, PATIENCE, "the calls did not begin")
    server.host.pause(server)
    counts = ledger.settle(within=NOTICED)
    check(len(ledger.lost) == 20, "answered by a server that stands still:", counts)
    server.host.resume(server)
    until_answered(run, client)
    ledger.once(server)


@case("pause of the client")
def paused_client(run):
    """The client stands still until the server has given it up: its 10 short calls are answered or
    lost when it goes on, the 10 long ones are lost, and the next ones are answered."""
    server = run.server(heartbeat=HEARTBEAT)
    client = run.client(heartbeat=HEARTBEAT)
    check(client.call("add", 1, 2).result == 3, "not connected")
    ledger = Ledger(run, client)
    ledger.begin(10, HEARTBEAT)
    ledger.begin(10, FOREVER)
    _until(lambda: len(server.request("works")) == 20, PATIENCE, "the calls did not begin")
    client.host.pause(client.program)
    if run.server_kind.offers("channels"):
        _until(lambda: server.request("channels") == 0, PATIENCE, "the server still holds",
               lambda: server.request("channels"))
    else:
        time.sleep(6 * HEARTBEAT)
    client.host.resume(client.program)
    ledger.settle(within=2 * PATIENCE)
    check(len(ledger.lost) >= 10, "answered by a server that gave them up:", run.tally)
    check(sum(run.tally.values()) == 20, "ended", run.tally)
    until_answered(run, client)
    ledger.once(server)


@case("client that disappears", kinds=("python2.7", "python3"))
def vanished(run):
    """A client is gone without a goodbye, in the middle of a stream and of 20 calls: within four
    heartbeats the server holds nothing of it. When the client is there again, all 21 are lost, and
    the next call is answered."""
    heartbeat = 2 * HEARTBEAT
    server = run.server(heartbeat=heartbeat)
    client = run.client(heartbeat=heartbeat)
    stream = client.start_stream("endless")
    ledger = Ledger(run, client)
    ledger.begin(20, FOREVER)
    _until(lambda: server.request("channels") >= 21, PATIENCE, "the calls did not begin")
    # Until both have heard of each other, a peer has another heartbeat to come up.
    time.sleep(1.5 * heartbeat)
    began = time.monotonic()
    client.host.vanish(client.program)
    _until(lambda: server.request("channels") == 0, 6 * heartbeat, "the server still holds",
           lambda: server.request("channels"))
    took = time.monotonic() - began
    run.notes.append("21 calls freed after {:.1f} heartbeats".format(took / heartbeat))
    # Three, and one for a busy machine.
    check(took <= 4 * heartbeat, "freed after {:.1f} s".format(took))
    client.host.reappear(client.program)
    outcome = client.join(stream)
    check(outcome.kind in ("LostRemote", "Disconnected"), "the stream ended with", outcome)
    check(outcome.reply["in_order"], "out of order:", outcome)
    run.tally[outcome.kind] += 1
    ledger.settle(within=2 * PATIENCE)
    check(len(ledger.lost) == 20, "answered by a server that gave them up:", run.tally)
    until_answered(run, client)
    ledger.once(server)


@case("two servers, one dies", servers=2)
def two_servers(run):
    """Of the calls shared by two servers those of the one that dies are lost and the others are
    answered; afterwards a client of ours uses the one that lives."""
    first = run.server(heartbeat=HEARTBEAT)
    host = run.server_hosts[1]
    second = run.server(heartbeat=HEARTBEAT, host=host)
    client = run.client(run.endpoint(), host.endpoint(PORT), heartbeat=HEARTBEAT)
    ledger = Ledger(run, client)
    deadline = time.monotonic() + PATIENCE
    while not (first.request("works") and second.request("works")):
        check(time.monotonic() < deadline, "only one server is used")
        ledger.begin(2, 0.01)
        ledger.settle(within=PATIENCE)
    before = len(first.request("works"))
    ledger.begin(40, 8.0)
    _until(lambda: len(first.request("works")) > before, PATIENCE, "the calls did not begin")
    first.kill()
    counts = ledger.settle(within=NOTICED)
    check(counts["answered"] >= 10 and len(ledger.lost) > 0, "ended", counts)
    ledger.begin(20, 0.1)
    counts = ledger.settle(within=NOTICED)
    check(counts["answered"] == 20 or run.direction != TO, "with one server:", counts)
    ledger.once(second)


@case("cable pulled in a stream")
def disconnected(run):
    """The network is gone for longer than two heartbeats in the middle of a stream: it ends with a
    loss, its items are in order, and calls are answered when the network is back."""
    server = run.server(heartbeat=HEARTBEAT)
    client = run.client(heartbeat=HEARTBEAT, timeout=5 * HEARTBEAT)
    stream = client.start_stream("slow_stream", 6000, 0.05)
    _until(lambda: client.peek(stream)["count"] >= 5, PATIENCE, "the stream did not begin")
    server.host.disconnect()
    outcome = client.join(stream)
    check(outcome.kind in ("LostRemote", "Disconnected"), "the stream ended with", outcome)
    check(outcome.reply["in_order"], "out of order:", outcome)
    run.notes.append("{} items, then {}".format(outcome.reply["count"], outcome.kind))
    ledger = Ledger(run, client)
    ledger.begin(5, 0.1)
    ledger.settle(within=NOTICED)
    server.host.reconnect()
    until_answered(run, client)
    ledger.once(server)


@case("slow link that loses")
def impaired(run):
    """Over a link that delays and loses packets, each of 50 calls ends as it must, most are
    answered, and a stream is whole."""
    host = run.their_host()
    how = host.impair()
    run.later(host, host.repair)
    run.notes.append(how)
    server = run.server(heartbeat=5 * HEARTBEAT)
    client = run.client(heartbeat=5 * HEARTBEAT)
    ledger = Ledger(run, client)
    ledger.begin(50, 1.0)
    counts = ledger.settle(within=PATIENCE)
    check(counts["answered"] >= 25, "ended", counts)
    outcome = client.stream("count", 300)
    check(outcome.reply["count"] == 300 and outcome.reply["in_order"], "received", outcome)
    ledger.once(server)


@case("name that moves", servers=2)
def moved(run):
    """The server's name moves to another host: calls are lost until the client has followed, and
    then are answered there."""
    first_host, second_host = run.server_hosts
    # Other cases have names that move, too.
    name = "moving-to-" + second_host.name
    first_host.take_name(name)
    first = run.server(heartbeat=HEARTBEAT)
    second = run.server(heartbeat=HEARTBEAT, host=second_host)
    client = run.client(
        "tcp://{}:{}".format(name, PORT), heartbeat=HEARTBEAT, timeout=5 * HEARTBEAT)
    ledger = Ledger(run, client)
    until_answered(run, client)
    ledger.begin(20, FOREVER)
    _until(lambda: len(first.request("works")) == 20, PATIENCE, "the calls did not begin")
    first.kill()
    first_host.disconnect()
    first_host.reconnect()
    second_host.take_name(name)
    ledger.settle(within=NOTICED)
    check(len(ledger.lost) == 20, "answered by a dead server")
    until_answered(run, client)
    ledger.begin(5, 0.1)
    counts = ledger.settle(within=PATIENCE)
    check(counts["answered"] == 5, "after the move:", counts)
    check(len(ledger.once(second)) >= 5, "the calls ran elsewhere")


def _until(holds, within, what, detail=lambda: ""):
    deadline = time.monotonic() + within
    while not holds():
        if time.monotonic() > deadline:
            check(False, what, detail())
        time.sleep(0.05)
