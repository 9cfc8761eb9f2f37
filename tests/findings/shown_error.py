"""Errors that the program is shown as soon as they can be had, in each way that asks for a result."""

import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import Pool
from multiprocessing.pool import ThreadPool


def work(x):
    if x == 1:
        raise ValueError("task %d" % x)
    time.sleep(0.1)
    return x


def told(how, ask):
    try:
        print(how, ask())
    except ValueError as error:
        print(how, error)


def poll(result):
    while not result.ready():
        time.sleep(0.001)
    return result.get()


def wait(result, ask):
    result.wait()
    return ask()


if __name__ == "__main__":
    for kind in (Pool, ThreadPool):
        with kind(2) as pool:
            for method in ("imap", "imap_unordered"):
                told(method, lambda: list(getattr(pool, method)(work, range(12), chunksize=4)))
            result = pool.map_async(work, range(8), chunksize=1)
            told("get", result.get)
            result = pool.map_async(work, range(8), chunksize=1)
            told("poll", lambda: poll(result))
            result = pool.map_async(work, range(8), chunksize=1)
            told("wait, get", lambda: wait(result, result.get))
            result = pool.map_async(work, range(8), chunksize=1)
            told("wait, successful", lambda: wait(result, result.successful))
            result = pool.map_async(work, range(8), chunksize=1, error_callback=print)
            told("callback", result.wait)
    with ProcessPoolExecutor(2) as executor:
        told("executor", lambda: list(executor.map(work, range(12), chunksize=4)))
