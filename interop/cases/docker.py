"""Each host is a container of the compose project, and the engine does what hosts suffer."""

import socket

from . import engine
from .conversation import Program
from .worlds import Host, NotOffered, World

PROJECT = "com.docker.compose.project"
SERVICE = "com.docker.compose.service"

# Loss in both directions, with latency where the kernel can.
NETEM = "tc qdisc add dev $d root netem delay 40ms 10ms loss 5%"
DROP = "iptables{0} -A {1} $d -m statistic --mode random --probability 0.05 -j DROP"
DROPS = " && ".join(DROP.replace("{1}", way) for way in ("INPUT -i", "OUTPUT -o"))


class Docker(World):
    """The containers of the project that this program is a part of."""

    name = "Docker"

    def __init__(self):
        me = engine.ask("GET", "/containers/{}/json".format(socket.gethostname()))
        project = me["Config"]["Labels"][PROJECT]
        containers = {
            one["Labels"][SERVICE]: one["Id"] for one in engine.labelled(PROJECT, project)}
        self._hosts = {
            service: Container(service, identity)
            for service, identity in containers.items() if service != "tests"}

    def host(self, name):
        return self._hosts[name]

    def has(self, name):
        return name in self._hosts

    def facts(self):
        version = engine.ask("GET", "/version")
        return "Docker {}, Linux {}".format(version["Version"], version["KernelVersion"])


class Container(Host):
    """A container on the network of the peers."""

    def __init__(self, name, identity):
        self.name = name
        self._identity = identity
        networks = self._inspect()["NetworkSettings"]["Networks"]
        (self._network, settings), = networks.items()
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
        ours = self.name.startswith("ours")
        command = ["/interop-peer", "kill", pid] if ours else ["sh", "-c", "kill -9 " + pid]
        code, output = self.run(command)
        if code != 0:
            raise engine.EngineError("kill -9 {} in {}: {}".format(pid, self.name, output))

    def pause(self, program):
        engine.ask("POST", "/containers/{}/pause".format(self._identity))
        self._is_paused = True

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
                "Aliases": [self.name] + list(names),
                "IPAMConfig": {"IPv4Address": self._address}}})

    def take_name(self, name):
        self.disconnect()
        self.reconnect([name])
        self._has_names = True

    def vanish(self, program):
        self.disconnect()
        return lambda: self._come_back(program)

    def impair(self):
        if self.name.startswith("ours"):
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

    def _come_back(self, program):
        self.kill(program)
        self.reconnect()

    def _shape(self, script):
        find = "d=$(ls /sys/class/net | grep -m1 eth); "
        return self.run(["sh", "-c", find + script])[0]

    def _inspect(self):
        return engine.ask("GET", "/containers/{}/json".format(self._identity))
