# -*- coding: utf-8 -*-
"""The conversation between a peer program and the test that started it.

One JSON object a line: the program writes `{"ready": …}` first, then one reply
to each request. A reply is `{"ok": …}` or `{"error": "what went wrong"}`, with
`"timed_out": true` if something waited for as long as it was told to. The
program ends when its standard input is closed, so no peer outlives its test.
"""

import json
import os
import sys
import traceback


class TimedOut(Exception):
    """Something waited longer than it may."""


def ready(**facts):
    """Announces that the program can be used."""
    facts["pid"] = os.getpid()
    _write({"ready": facts})


def answer(line, handle):
    """Runs one request line through `handle` and writes the reply."""
    try:
        reply = {"ok": handle(json.loads(line))}
    except Exception as error:
        traceback.print_exc()
        reply = {"error": "{}: {}".format(type(error).__name__, error)}
        if isinstance(error, TimedOut):
            reply["timed_out"] = True
    _write(reply)


def leave():
    """Ends the process at once, whatever threads or greenlets are left."""
    sys.stderr.flush()
    os._exit(0)


def arguments():
    """The settings given on the command line as one JSON object."""
    return json.loads(sys.argv[1]) if len(sys.argv) > 1 else {}


def _write(value):
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()
