"""Runs calls of a real multiprocessing.Pool and tells what each did.

One call a line on stdin: {"method", "chunksize" (null: the method's own rule), "workers", "costs" in seconds,
"faults": {index: "raise" or "die"}}.
One answer a line on stdout: {"chunks", "finished", "delivered", all of them indexes of tasks; "error": what the
call raised first, or null; "ends"; "outstanding": messages that were never answered}.
"""

import json
import multiprocessing
import multiprocessing.pool
import os
import sys
import tempfile
import time
import types

# Longer than any call takes that completes.
PATIENCE = 30


class Watched(multiprocessing.pool.Pool):
    """A pool that keeps the messages it sends to its workers."""

    def _setup_queues(self):
        super()._setup_queues()
        put, self.sent = self._quick_put, []

        def watched_put(message):
            if message is not None:
                self.sent.append(indexes(message))
            put(message)

        self._quick_put = watched_put


def indexes(message):
    """The tasks of a message: (job, chunk, function, arguments, keywords)."""
    function, arguments = message[2:4]
    if function in (multiprocessing.pool.mapstar, multiprocessing.pool.starmapstar):
        return [index_of(item) for item in arguments[0][1]]
    return [index_of(arguments)]


def index_of(item):
    while isinstance(item, tuple):
        item = item[0]
    return item


def note(log, line, files={}):
    """Adds a line to a file. One write: those of several workers do not mix."""
    if log not in files:
        files[log] = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(files[log], line.encode())


def work(index, cost, fault, log):
    time.sleep(cost)
    note(log, "%d %d %s\n" % (time.monotonic_ns(), index, fault))
    if fault == "raise":
        raise ValueError("task %d failed" % index)
    if fault == "die":
        os._exit(1)
    return index


def work_on(item):
    return work(*item)


class Call:
    """One call, as the lab's main program makes it."""

    def __init__(self, pool, asked, log):
        self.pool, self.method = pool, asked["method"]
        faults = asked["faults"]
        self.deadly = "die" in faults.values()
        self.items = [
            (index, cost, faults.get(str(index)), log) for index, cost in enumerate(asked["costs"])
        ]
        self.size = {} if asked["chunksize"] is None else {"chunksize": asked["chunksize"]}
        self.log, self.delivered, self.error, self.ends = log, [], None, "returned"
        self.answered, self.submitted = 0, len(self.items)

    def run(self):
        method = self.method
        if method == "apply":
            for self.submitted, item in enumerate(self.items, 1):
                if not self.get(self.watch(self.pool.apply_async(work, item))):
                    break
        elif method == "apply_async":
            take = self.delivered.append
            calls = [self.watch(self.pool.apply_async(work, item, callback=take)) for item in self.items]
            all(self.get(call) for call in calls)
            self.settle()
        elif method.startswith("imap"):
            self.iterate(getattr(self.pool, method)(work_on, self.items, **self.size))
        else:
            # What `map` and `starmap` do, but that one can stop waiting for what never comes.
            function = work if method.startswith("starmap") else work_on
            form = method if method.endswith("_async") else method + "_async"
            results = getattr(self.pool, form)(function, self.items, **self.size)
            self.get(self.watch(results))

    def watch(self, result):
        """Counts the answers that a result gets."""
        received = result._set

        def counted(place, answer):
            received(place, answer)
            self.answered += 1

        result._set = counted
        return result

    def get(self, result):
        """Waits for a result, and takes it; false if that is the end of the main program."""
        if self.deadly:
            self.settle()
        if not self.deadly or result.ready():
            try:
                value = result.get(PATIENCE)
            except ValueError as error:
                self.raised(error)
            else:
                if self.method != "apply_async":
                    self.delivered += value if isinstance(value, list) else [value]
                return True
            self.ends = "error"
        else:
            self.ends = "never"
        return False

    def iterate(self, results):
        """The lab's main program catches the error of an item and asks for the next one."""
        is_generator = isinstance(results, types.GeneratorType)
        if self.deadly:
            self.watch(results)
            self.settle()
        while True:
            try:
                self.delivered.append(results.next(0) if self.deadly else next(results))
            except StopIteration:
                break
            except multiprocessing.TimeoutError:
                self.ends = "never"
                break
            except ValueError as error:
                self.raised(error)
                if is_generator:
                    self.ends = "error"

    def raised(self, error):
        self.error = self.error or "%s: %s" % (type(error).__name__, error)

    def settle(self):
        """Waits until nothing more can happen: every message was answered or has killed its worker."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            over = {index: fault for _, index, fault in self.log_lines()}
            lost = sum("die" in [over.get(index) for index in chunk] for chunk in self.pool.sent)
            sent = sum(len(chunk) for chunk in self.pool.sent)
            if sent == self.submitted and self.answered + lost == len(self.pool.sent):
                return
            time.sleep(0.002)

    def log_lines(self):
        with open(self.log) as ends:
            lines = [line.split() for line in ends.read().splitlines()]
        return sorted((int(at), int(index), fault) for at, index, fault in lines)

    def told(self):
        until = time.monotonic() + PATIENCE
        while not self.deadly and self.pool._cache and time.monotonic() < until:
            # What the main program does not wait for still runs.
            time.sleep(0.002)
        return {
            "chunks": self.pool.sent,
            "finished": [index for _, index, fault in self.log_lines() if fault != "die"],
            "delivered": self.delivered,
            "error": self.error,
            "ends": self.ends,
            "outstanding": len(self.pool.sent) - self.answered if self.deadly else 0,
        }


def new_pool(workers, log):
    pool = Watched(workers, context=multiprocessing.get_context())
    # Every worker is up when the first call comes.
    pool.map(work_on, [(0, 0.02, None, log)] * (2 * workers), chunksize=1)
    return pool


def main():
    with tempfile.TemporaryDirectory() as folder:
        log = os.path.join(folder, "ends")
        pools = {workers: new_pool(workers, log) for workers in (2, 4)}
        print("ready", flush=True)
        for line in sys.stdin:
            asked = json.loads(line)
            deadly = "die" in asked["faults"].values()
            # A call that never completes stays in its pool for ever.
            pool = new_pool(asked["workers"], log) if deadly else pools[asked["workers"]]
            pool.sent.clear()
            open(log, "w").close()
            call = Call(pool, asked, log)
            call.run()
            print(json.dumps(call.told()), flush=True)
            if deadly:
                pool.terminate()


if __name__ == "__main__":
    main()
