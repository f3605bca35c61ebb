"""Runs the cases and says what came of each.

    python3 -m cases --docker [--only WORD…]
    python3 -m cases --native SETTINGS [--only WORD…]

A word is a part of a case's name or a peer's. `CASES` in the environment has the same meaning, and
`AT_ONCE` is how many cells run side by side. Exits with 1 if a cell failed, if none passed, or if
a kind of peer is missing in Docker.
"""

import argparse
import json
import os
import sys
import time
import traceback
from pathlib import Path

from . import calls, faults, sockets  # noqa: F401  (they register cases)
from .matrix import FAILED, LEFT_OUT, PASSED, Cell, markdown, printed
from .peers import KINDS, OURS
from .run import CASES, FROM, TO, Run, kinds_of
from .schedule import Schedule
from .worlds import NotOffered

PEERS = ("python2.7", "python3", "node", "libzmq")
AT_ONCE = 8


class Task:
    """A cell that is to be run."""

    def __init__(self, case, theirs, direction):
        self.case = case
        self.theirs = theirs
        self.direction = direction
        client, server = kinds_of(theirs, direction)
        self.hosts = [client.host] + [server.host] * case.servers


def main():
    parser = argparse.ArgumentParser(prog="cases", description="Runs the interop cases.")
    world = parser.add_mutually_exclusive_group(required=True)
    world.add_argument("--docker", action="store_true")
    world.add_argument("--native", metavar="SETTINGS")
    parser.add_argument("--only", nargs="*", default=os.environ.get("CASES", "").split())
    parser.add_argument(
        "--results", default=os.environ.get("RESULTS") or "/interop/RESULTS.md")
    parser.add_argument("--at-once", type=int, default=os.environ.get("AT_ONCE") or AT_ONCE)
    arguments = parser.parse_args()
    began = time.monotonic()
    world = _world(arguments)
    missing = [name for name in (OURS,) + PEERS if not world.has(KINDS[name].host)]
    if missing:
        print("peers that are missing here: " + ", ".join(missing), flush=True)
        if world.has_all:
            sys.exit(1)
    tasks = [
        Task(case, theirs, direction)
        for case in CASES for theirs in PEERS for direction in (TO, FROM)
        if theirs in case.kinds and world.has(KINDS[theirs].host)
        and _chosen(arguments.only, case.name, theirs)]
    cells = Schedule(world, tasks).run(_cell, _left_out, arguments.at_once)
    order = [(task.case.name, task.theirs, task.direction) for task in tasks]
    cells.sort(key=lambda cell: order.index((cell.case, cell.theirs, cell.direction)))
    seconds = time.monotonic() - began
    print("\n" + printed(cells, PEERS), flush=True)
    passed, failed, left_out = (
        sum(cell.result == result for cell in cells) for result in (PASSED, FAILED, LEFT_OUT))
    print("\n{} cells, {} failed, {} left out, in {:.0f} s, {} at once; "
          "one by one they would take {:.0f} s".format(
              len(cells), failed, left_out, seconds, arguments.at_once,
              sum(cell.seconds for cell in cells)), flush=True)
    if not passed:
        print("no cell passed", flush=True)
    # A choice of cases is no result to keep.
    if arguments.docker and not arguments.only:
        page = markdown(
            cells, PEERS, world.facts(), _versions(world), seconds, arguments.at_once)
        Path(arguments.results).write_text(page, encoding="utf-8")
    sys.exit(1 if failed or not passed else 0)


def _world(arguments):
    if arguments.docker:
        from .docker import Docker
        return Docker()
    from .native import Native
    settings = json.loads(Path(arguments.native).read_text(encoding="utf-8"))
    return Native(settings["programs"], settings["environments"])


def _chosen(words, *names):
    return all(any(word in name for name in names) for word in words)


def _cell(task, hosts):
    began = time.monotonic()
    run = Run(task.theirs, task.direction, hosts)
    try:
        task.case.function(run)
        result, text = PASSED, None
    except NotOffered as reason:
        result, text = LEFT_OUT, str(reason)
    except Exception as error:
        result, text = FAILED, "{}: {}".format(type(error).__name__, error)
        if not text.startswith(("CaseFailed", "PeerFailed")):
            traceback.print_exc()
    try:
        run.finish()
    except Exception as error:
        traceback.print_exc()
        if result != FAILED:
            result, text = FAILED, "afterwards {}: {}".format(type(error).__name__, error)
    text = run.shown() if text is None else text
    cell = Cell(
        task.case.name, task.theirs, task.direction, result, text, time.monotonic() - began)
    print(cell.line(), flush=True)
    return cell


def _left_out(task, reason):
    cell = Cell(task.case.name, task.theirs, task.direction, LEFT_OUT, str(reason), 0.0)
    print(cell.line(), flush=True)
    return cell


def _versions(world):
    commands = {
        OURS: ["/zrpc", "--version"],
        "python2.7": ["python2.7", "-c", "import sys, zmq; print('%s, pyzmq %s, libzmq %s' % ("
                      "sys.version.split()[0], zmq.pyzmq_version(), zmq.zmq_version()))"],
        "node": ["node", "--version"],
    }
    commands["python3"] = ["python3"] + commands["python2.7"][1:]
    versions = {}
    for name, command in commands.items():
        if world.has(name):
            hosts = world.take([name])
            versions[name] = hosts[0].run(command)[1].strip()
            world.give_back(hosts)
    return versions


main()
