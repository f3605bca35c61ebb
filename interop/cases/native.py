"""Every host is this machine: programs are processes, and signals do what hosts suffer."""

import os
import platform
import signal
import socket
import subprocess
import threading

from .conversation import Program
from .worlds import Host, World


class Native(World):
    """This machine. `programs` says what to run in the place of a command's first word."""

    name = "native"

    def __init__(self, programs, environments):
        self._programs = programs
        self._environments = environments

    def has(self, kind):
        return kind in self._environments

    def take(self, kinds):
        return [Machine(kind, self._programs, self._environments[kind]) for kind in kinds]

    def give_back(self, hosts):
        pass  # There are as many as are wanted.

    def facts(self):
        return "without Docker, Linux {}".format(platform.release())


class Machine(Host):
    """This machine in the place of one host."""

    name = "this machine"

    def __init__(self, kind, programs, environment):
        self.kind = kind
        self._programs = programs
        self._environment = dict(os.environ, **environment)
        self._ports = {}

    def endpoint(self, port):
        return "tcp://127.0.0.1:{}".format(self._port(port))

    def listening(self, port):
        return self.endpoint(port)

    def start(self, command):
        return Program(self, Process(self._command(command), self._environment))

    def run(self, command):
        done = subprocess.run(self._command(command), env=self._environment, timeout=60,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        return done.returncode, done.stdout.decode(errors="replace").strip()

    def kill(self, program):
        os.kill(program.facts["pid"], signal.SIGKILL)

    def pause(self, program):
        os.kill(program.facts["pid"], signal.SIGSTOP)

    def resume(self, program):
        os.kill(program.facts["pid"], signal.SIGCONT)

    def vanish(self, program):
        self.pause(program)

    def reappear(self, program):
        self.resume(program)

    def _port(self, port):
        """A free port of this machine for each port of each host."""
        if port not in self._ports:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                self._ports[port] = probe.getsockname()[1]
        return self._ports[port]

    def _command(self, command):
        return [self._programs.get(word, word) for word in command]


class Process:
    """The standard input and output of a process."""

    def __init__(self, command, environment):
        self._process = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE)
        self._errors = bytearray()
        threading.Thread(target=self._collect, daemon=True).start()

    def write(self, data):
        self._process.stdin.write(data)
        self._process.stdin.flush()

    def lines(self):
        for line in self._process.stdout:
            yield line.rstrip(b"\n")
        self._process.wait()

    def errors(self):
        return self._errors.decode(errors="replace")[-2000:]

    def close(self):
        try:
            self._process.stdin.close()
        except OSError:
            pass  # It has ended.

    def _collect(self):
        for line in self._process.stderr:
            self._errors += line
