"""Runs cells side by side: most of their time is waiting for heartbeats.

A cell has its hosts for itself, so that what happens to them happens to no other one.
"""

import threading
from concurrent.futures import ThreadPoolExecutor

from .worlds import NotOffered


class Schedule:
    """The cells that are to be run, each with the kinds of the hosts that it needs."""

    def __init__(self, world, cells):
        self._world = world
        self._cells = list(cells)
        self._changed = threading.Condition()

    def run(self, perform, refuse, at_once):
        """Has `perform(cell, hosts)` called for each, `at_once` of them at a time, or `refuse(cell,
        reason)` where there are no such hosts; returns what came of them."""
        with ThreadPoolExecutor(at_once) as workers:
            running = [workers.submit(self._work, perform, refuse) for _ in range(at_once)]
            return [result for worker in running for result in worker.result()]

    def _work(self, perform, refuse):
        results = []
        for cell, hosts in iter(self._next, None):
            if isinstance(hosts, NotOffered):
                results.append(refuse(cell, hosts))
                continue
            try:
                results.append(perform(cell, hosts))
            finally:
                with self._changed:
                    self._world.give_back(hosts)
                    self._changed.notify_all()
        return results

    def _next(self):
        """The first cell whose hosts are free, with them; waits for some if there are none. A reason
        stands in their place if they cannot be had."""
        with self._changed:
            while self._cells:
                for cell in self._cells:
                    try:
                        hosts = self._world.take(cell.hosts)
                    except NotOffered as reason:
                        hosts = reason
                    if hosts is not None:
                        self._cells.remove(cell)
                        return cell, hosts
                self._changed.wait()
        return None
