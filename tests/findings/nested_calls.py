"""Both workers of a pool wait for tasks that stand in the queue of that pool; then the program gives up."""

import os
import sys
import time
from multiprocessing.pool import ThreadPool

pool = ThreadPool(2)


def inner(x):
    return x


def outer(x):
    return pool.map(inner, range(3))


def waits(frame):
    is_waiting = frame.f_code.co_name == "wait"
    while frame is not None and frame.f_code is not outer.__code__:
        frame = frame.f_back
    return is_waiting and frame is not None


pool.map_async(outer, range(2), chunksize=1)
while sum(map(waits, sys._current_frames().values())) < 2 or not pool._taskqueue.empty():
    time.sleep(0.01)
time.sleep(2)  # only who waits for long waits for ever
os._exit(0)
