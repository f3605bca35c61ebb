"""One process of a measurement of Python's zerorpc.

It talks with the benchmark as src/link.rs says, and measures as src/measure does: a warm-up, then
a window, both from the first result on, with the processor time of both processes.
"""

import argparse
import json
import os
import sys
import time

import gevent
import zerorpc
import zmq

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
ARGUMENT = "x" * 64


class Service:
    """What the RPC workloads call."""

    def echo(self, value):
        return value

    @zerorpc.stream
    def count(self, to):
        return iter(range(to))


def process_time(pid):
    """Seconds that the processors have spent for one process."""
    with open("/proc/{}/stat".format(pid)) as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND


def machine_time():
    """Seconds that the processors have spent for anything."""
    with open("/proc/stat") as stat:
        fields = [int(field) for field in stat.readline().split()[1:9]]
    return (sum(fields) - fields[3] - fields[4]) / TICKS_PER_SECOND


class Meter:
    """Counts operations until the window is over; `record` says when."""

    def __init__(self, options):
        self.peer = int(sys.stdin.readline().split()[1])
        self.warm_up = options.warm_up
        self.window = options.seconds
        self.window_starts = None
        self.start = None
        self.operations = 0
        self.samples = []

    def record(self, sample=None):
        now = time.perf_counter()
        if self.start is not None:
            self.operations += 1
            if sample is not None:
                self.samples.append(sample)
            return now - self.start >= self.window
        if self.window_starts is None:
            self.window_starts = now + self.warm_up
        elif now >= self.window_starts:
            self.times = [process_time(os.getpid()), process_time(self.peer), machine_time()]
            self.start = time.perf_counter()
        return False

    def report(self):
        seconds = time.perf_counter() - self.start
        this, peer, machine = (
            after - before for after, before in zip(
                [process_time(os.getpid()), process_time(self.peer), machine_time()], self.times))
        latency = None
        if self.samples:
            self.samples.sort()
            latency = {"p50": self.percentile(50), "p99": self.percentile(99)}
        print(json.dumps({
            "operations": self.operations,
            "seconds": seconds,
            "server_cpu": peer,
            "client_cpu": this,
            "foreign_cpu": max(0.0, machine - this - peer),
            "latency": latency,
        }), flush=True)

    def percentile(self, percent):
        rank = -(-len(self.samples) * percent // 100)
        return int(self.samples[rank - 1] * 1e9)


def serve():
    server = zerorpc.Server(Service())
    server.bind("tcp://127.0.0.1:*")
    endpoint = server._events._socket.getsockopt(zmq.LAST_ENDPOINT).rstrip(b"\0").decode()
    print("port {}".format(endpoint.rsplit(":", 1)[1]), flush=True)
    server.run()


def call_sequentially(client, meter):
    while True:
        start = time.perf_counter()
        client.echo(ARGUMENT)
        if meter.record(time.perf_counter() - start):
            return


def call_in_flight(client, meter, calls):
    done = gevent.event.Event()

    def caller():
        while not done.is_set():
            client.echo(ARGUMENT)
            if meter.record():
                done.set()

    for _ in range(calls):
        gevent.spawn(caller)
    done.wait()


def receive_items(client, meter):
    for _ in client.count(2 ** 62):
        if meter.record():
            return


def measure(options):
    client = zerorpc.Client("tcp://127.0.0.1:{}".format(options.port))
    meter = Meter(options)
    if options.workload == "rpc-sequential":
        call_sequentially(client, meter)
    elif options.workload.startswith("rpc-in-flight-"):
        call_in_flight(client, meter, int(options.workload.rsplit("-", 1)[1]))
    elif options.workload == "rpc-stream":
        receive_items(client, meter)
    else:
        sys.exit("unknown workload")
    meter.report()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("side", choices=["server", "client"])
    parser.add_argument("--implementation")
    parser.add_argument("--workload")
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--warm-up", type=float)
    parser.add_argument("--port", type=int)
    options = parser.parse_args()
    if options.side == "server":
        serve()
    else:
        measure(options)
    # What is still under way is of no interest.
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
