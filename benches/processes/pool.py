"""Runs `Pool.map` with chunk size 1 for the bench: a line in, a line out."""

import os
import sys
import time
from multiprocessing import get_context


def same(x):
    return x


def spent(tasks, payload, workers):
    items = [b"x" * payload] * tasks if payload else range(tasks)
    cpu, began = sum(os.times()[:4]), time.perf_counter()
    pool = get_context("fork").Pool(workers)
    results = pool.map(same, items, chunksize=1)
    pool.close()
    pool.join()
    wall = time.perf_counter() - began
    assert len(results) == tasks
    return wall, sum(os.times()[:4]) - cpu


if __name__ == "__main__":
    for line in sys.stdin:
        wall, cpu = spent(*map(int, line.split()))
        print(wall, cpu, flush=True)
