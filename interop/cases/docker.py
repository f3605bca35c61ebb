"""Each host is a container of the compose project, and the engine does what hosts suffer."""

import socket
import time
from collections import Counter, defaultdict

from . import engine
from .conversation import Program
from .worlds import Host, NotOffered, World

PROJECT = "com.docker.compose.project"
SERVICE = "com.docker.compose.service"

FREEZES = 20
# Seconds until every container of the project runs.
START_DEADLINE = 30

# Loss in both directions, with latency where the kernel can.
NETEM = "tc qdisc add dev $d root netem delay 40ms 10ms loss 5%"
DROP = "iptables{0} -A {1} $d -m statistic --mode random --probability 0.05 -j DROP"
DROPS = " && ".join(DROP.replace("{1}", way) for way in ("INPUT -i", "OUTPUT -o"))


class Docker(World):
    """The containers of the project that this program is a part of."""

    name = "Docker"
    has_all = True

    def __init__(self):
        me = engine.ask("GET", "/containers/{}/json".format(socket.gethostname()))
        project = me["Config"]["Labels"][PROJECT]
        self._free = defaultdict(list)
        for one in _running(project):
            service = one["Labels"][SERVICE]
            if service != "tests":
                self._free[service].append(Container(service, one["Id"]))
        self._count = {kind: len(hosts) for kind, hosts in self._free.items()}

    def has(self, kind):
        return self._count.get(kind, 0) > 0

    def take(self, kinds):
        for kind, wanted in Counter(kinds).items():
            if wanted > self._count[kind]:
                raise NotOffered("there are {} hosts of {}".format(self._count[kind], kind))
            if wanted > len(self._free[kind]):
                return None
        return [self._free[kind].pop() for kind in kinds]

    def give_back(self, hosts):
        for host in hosts:
            if host.is_fit:
                self._free[host.kind].append(host)
            else:
                self._count[host.kind] -= 1

    def facts(self):
        version = engine.ask("GET", "/version")
        return "Docker {}, Linux {}".format(version["Version"], version["KernelVersion"])


def _running(project):
    """The containers of a project, all of which must run: a peer that is gone is no peer that was
    never there."""
    deadline = time.monotonic() + START_DEADLINE
    while True:
        containers = engine.labelled(PROJECT, project)
        states = {one["Names"][0].lstrip("/"): one["State"] for one in containers}
        idle = {name: state for name, state in states.items() if state != "running"}
        if not idle:
            return containers
        if set(idle.values()) != {"created"} or time.monotonic() > deadline:
            raise engine.EngineError("these containers do not run: {}".format(idle))
        time.sleep(0.2)


class Container(Host):
    """A container on the network of the peers."""

    def __init__(self, kind, identity):
        self.kind = kind
        self._identity = identity
        facts = self._inspect()
        self.name = facts["Name"].lstrip("/")
        (self._network, settings), = facts["NetworkSettings"]["Networks"].items()
        self._address = settings["IPAddress"]
        self._is_paused = False
        self._has_names = False

    def endpoint(self, port):
        return "tcp://{}:{}".format(self.name, port)

    def listening(self, port):
        return "tcp://0.0.0.0:{}".format(port)

    def start(self, command):
        return Program(self, engine.Exec(self._identity, command))

    def run(self, command):
        return engine.Exec(self._identity, command).wait()

    def kill(self, program):
        pid = str(program.facts["pid"])
        command = ["/interop-peer", "kill", pid] if self.kind == "ours" else [
            "sh", "-c", "kill -9 " + pid]
        code, output = self.run(command)
        if code != 0:
            raise engine.EngineError("kill -9 {} in {}: {}".format(pid, self.name, output))

    def pause(self, program):
        # A kernel with the first version of control groups may not have frozen all in time when the
        # engine looks, which thaws them then.
        for attempts in range(FREEZES, 0, -1):
            try:
                engine.ask("POST", "/containers/{}/pause".format(self._identity))
                self._is_paused = True
                return
            except engine.EngineError as error:
                if "unable to freeze" not in str(error) or attempts == 1:
                    raise
                time.sleep(0.1)

    def resume(self, program):
        engine.ask("POST", "/containers/{}/unpause".format(self._identity))
        self._is_paused = False

    def disconnect(self):
        engine.ask("POST", "/networks/{}/disconnect".format(self._network),
                   {"Container": self._identity, "Force": False})

    def reconnect(self, names=()):
        engine.ask("POST", "/networks/{}/connect".format(self._network), {
            "Container": self._identity,
            "EndpointConfig": {
                "Aliases": list(names),
                "IPAMConfig": {"IPv4Address": self._address}}})

    def take_name(self, name):
        self.disconnect()
        self.reconnect([name])
        self._has_names = True

    def vanish(self, program):
        self.disconnect()

    def reappear(self, program):
        self.reconnect()

    def impair(self):
        if self.kind == "ours":
            raise NotOffered("there is no tc in an empty image")
        attempts = [("40 ms latency and 5 % loss", NETEM)] + [
            ("5 % loss; this kernel has no netem for latency", DROPS.format(kind))
            for kind in ("", "-legacy")]
        for what, script in attempts:
            if self._shape(script) == 0:
                return what
        raise NotOffered("neither tc netem nor iptables statistic works in this image or kernel")

    def repair(self):
        self._shape("tc qdisc del dev $d root; iptables -F; iptables-legacy -F; true")

    def heal(self):
        """Undoes what a case that failed may have left."""
        if self._is_paused:
            self.resume(None)
        if self._has_names:
            self.disconnect()
            self._has_names = False
        if self._network not in self._inspect()["NetworkSettings"]["Networks"]:
            self.reconnect()

    def _shape(self, script):
        find = "d=$(ls /sys/class/net | grep -m1 eth); "
        return self.run(["sh", "-c", find + script])[0]

    def _inspect(self):
        return engine.ask("GET", "/containers/{}/json".format(self._identity))
