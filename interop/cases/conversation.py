"""Talking to a peer program: one JSON object a line, as `peers/control.py` says."""

import json
import queue
import threading

REPLY_DEADLINE = 60
# A program ends at once; this is for a busy machine.
END_DEADLINE = 30


class PeerFailed(Exception):
    """A peer program refused a request, ended, or did not reply."""


class TimedOut(PeerFailed):
    """A peer program waited for as long as it was told to, and says so."""


class Program:
    """A running peer program. `channel` has `lines()`, `write(bytes)`, `errors()` and `close()`."""

    def __init__(self, host, channel):
        self.host = host
        self._channel = channel
        self._replies = queue.Queue()
        self._ended = threading.Event()
        self._doing = "the start"
        threading.Thread(target=self._read, daemon=True).start()
        self.facts = self._receive("ready", REPLY_DEADLINE)

    def request(self, op, deadline=REPLY_DEADLINE, **fields):
        """Sends a request and waits for its reply."""
        self._doing = op
        self._channel.write((json.dumps(dict(fields, op=op)) + "\n").encode())
        return self._receive("ok", deadline)

    def kill(self):
        """Ends the program as `kill -9` does."""
        self.host.kill(self)

    def close(self):
        """Lets the program end."""
        self._channel.close()

    def wait(self, deadline=END_DEADLINE):
        """Waits until it has ended. One that does not is killed, and has failed."""
        if self._ended.wait(deadline):
            return
        self.kill()
        self._ended.wait(deadline)
        raise PeerFailed("it did not end in {} s, and had to be killed{}".format(
            deadline, self._words()))

    def _read(self):
        for line in self._channel.lines():
            self._replies.put(line)
        self._replies.put(None)
        self._ended.set()

    def _receive(self, kind, deadline):
        try:
            line = self._replies.get(timeout=deadline)
        except queue.Empty:
            raise PeerFailed("no reply to {} in {} s{}".format(
                self._doing, deadline, self._words())) from None
        if line is None:
            raise PeerFailed("it ended before it replied to {}{}".format(
                self._doing, self._words()))
        reply = json.loads(line)
        if kind not in reply:
            failure = TimedOut if reply.get("timed_out") else PeerFailed
            raise failure("{}: {}{}".format(
                self._doing, reply.get("error", line), self._words()))
        return reply[kind]

    def _words(self):
        errors = self._channel.errors()
        return "\n" + errors if errors else ""
