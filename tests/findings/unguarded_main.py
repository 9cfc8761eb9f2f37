"""The main module makes a pool whenever it runs: so does each fresh worker, and dies of it."""

import multiprocessing
import time


def work(x):
    return x


pool = multiprocessing.get_context("spawn").Pool(1)
pool.map_async(work, range(4))
seen = set()
while len(seen) < 5:
    seen.update(worker.pid for worker in multiprocessing.active_children())
    time.sleep(0.01)
pool.terminate()
