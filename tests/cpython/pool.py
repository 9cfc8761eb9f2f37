"""Runs calls of a real multiprocessing.Pool and tells what each did.

One call a line on stdin: {"method", "chunksize" (null: the method's own rule), "workers", "costs" in seconds}.
One answer a line on stdout: {"chunks", "finished", "delivered"}, all of them indexes of tasks.
"""

import json
import multiprocessing
import multiprocessing.pool
import sys
import time


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


def work(index, cost):
    time.sleep(cost)
    return index, time.monotonic()


def work_on(item):
    return work(*item)


def run(pool, method, chunksize, costs):
    items = list(enumerate(costs))
    size = {} if chunksize is None else {"chunksize": chunksize}
    if method == "apply":
        return [pool.apply(work, item) for item in items]
    if method == "apply_async":
        arrived = []
        calls = [pool.apply_async(work, item, callback=arrived.append) for item in items]
        for call in calls:
            call.get()
        return arrived
    function = work if method.startswith("starmap") else work_on
    results = getattr(pool, method)(function, items, **size)
    return results.get() if method.endswith("_async") else list(results)


def main():
    pools = {workers: Watched(workers, context=multiprocessing.get_context()) for workers in (2, 4)}
    for workers, pool in pools.items():
        # Every worker is up when the first call comes.
        pool.map(work_on, [(0, 0.02)] * (2 * workers), chunksize=1)
    print("ready", flush=True)
    for line in sys.stdin:
        call = json.loads(line)
        pool = pools[call["workers"]]
        pool.sent.clear()
        results = run(pool, call["method"], call["chunksize"], call["costs"])
        by_end = sorted(results, key=lambda result: result[1])
        told = {
            "chunks": pool.sent,
            "finished": [index for index, _ in by_end],
            "delivered": [index for index, _ in results],
        }
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
