"""The little of the Docker Engine API that the driver needs, over the engine's socket."""

import http.client
import json
import socket
import struct
import urllib.parse

SOCKET = "/var/run/docker.sock"
STDOUT, STDERR = 1, 2


class EngineError(Exception):
    """The engine refused a request."""


class _Connection(http.client.HTTPConnection):
    def connect(self):
        self.sock = _connected()


def _connected():
    engine = socket.socket(socket.AF_UNIX)
    engine.connect(SOCKET)
    return engine


def ask(method, path, body=None):
    """One request; returns what the engine answers."""
    connection = _Connection("docker", timeout=60)
    headers = {"Content-Type": "application/json"}
    try:
        connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        response = connection.getresponse()
        text = response.read()
    finally:
        connection.close()
    if response.status >= 300 and response.status != 304:
        raise EngineError("{} {}: {} {}".format(
            method, path, response.status, text.decode(errors="replace")))
    return json.loads(text) if text.strip() else None


def labelled(label, value):
    """The containers with a label, whether they run or not."""
    filters = urllib.parse.quote(json.dumps({"label": ["{}={}".format(label, value)]}))
    return ask("GET", "/containers/json?all=1&filters=" + filters)


class Exec:
    """A command in a container, with its standard input and output."""

    def __init__(self, container, command):
        settings = {"AttachStdin": True, "AttachStdout": True, "AttachStderr": True,
                    "Cmd": command}
        self._id = ask("POST", "/containers/{}/exec".format(container), settings)["Id"]
        self._errors = bytearray()
        self._stream = _connected()
        body = b'{"Detach":false,"Tty":false}'
        self._stream.sendall(
            "POST /exec/{}/start HTTP/1.1\r\nHost: docker\r\nConnection: Upgrade\r\n"
            "Upgrade: tcp\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n".format(
                self._id, len(body)).encode() + body)
        self._file = self._stream.makefile("rb")
        status = self._file.readline()
        while self._file.readline().strip():
            pass
        if b" 101 " not in status and b" 200 " not in status:
            raise EngineError("exec: {}".format(status.decode(errors="replace")))

    def write(self, data):
        self._stream.sendall(data)

    def lines(self):
        """What it writes to standard output, by lines, until it ends."""
        pending = b""
        for kind, data in self._frames():
            if kind == STDERR:
                self._errors += data
                continue
            pending += data
            *whole, pending = pending.split(b"\n")
            yield from whole

    def errors(self):
        return self._errors.decode(errors="replace")[-2000:]

    def close(self):
        try:
            self._stream.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # It has ended.

    def wait(self):
        """Lets it run to its end; returns its exit code and its output."""
        self.close()
        output = b"\n".join(self.lines()).decode(errors="replace")
        return ask("GET", "/exec/{}/json".format(self._id))["ExitCode"], output

    def _frames(self):
        try:
            while True:
                head = self._file.read(8)
                if len(head) < 8:
                    return
                kind, size = struct.unpack(">BxxxL", head)
                yield kind, self._file.read(size)
        except OSError:
            return
