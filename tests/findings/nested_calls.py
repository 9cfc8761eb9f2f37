"""Both workers of a pool wait for tasks that stand in the queue of that pool; then the program gives up."""

import os
import time
from multiprocessing.pool import ThreadPool

begun = time.monotonic()
pool = ThreadPool(2)


def inner(x):
    return x


def outer(x):
    return pool.map(inner, range(3))


pool.map_async(outer, range(2), chunksize=1)
while len(pool._cache) < 3 or not pool._taskqueue.empty():
    time.sleep(0.01)
time.sleep(2 + time.monotonic() - begun)  # only who waits for long waits for ever
os._exit(0)
