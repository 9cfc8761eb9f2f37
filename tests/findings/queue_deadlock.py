"""The only worker is killed while it waits for a task with the lock of the queue in its hands."""

import multiprocessing
import os
import signal
import time
from multiprocessing import Pool


def sleeps(pid):
    with open("/proc/%d/stat" % pid) as file:
        return file.read().rsplit(")", 1)[1].split()[0] == "S"


def workers():
    return {worker.pid for worker in multiprocessing.active_children()}


if __name__ == "__main__":
    pool = Pool(1)
    pool.apply(abs, (1,))
    while not pool._inqueue._rlock._semlock._is_zero():
        time.sleep(0.01)
    first = workers()
    # It has the lock, and soon it waits with it.
    quiet = 0
    while quiet < 20:
        quiet = quiet + 1 if sleeps(min(first)) else 0
        time.sleep(0.001)
    os.kill(min(first), signal.SIGKILL)
    while not workers() - first:
        time.sleep(0.01)
    pool.map_async(abs, range(4), chunksize=1)
    while not pool._taskqueue.empty():
        time.sleep(0.01)
    for worker in multiprocessing.active_children():
        worker.kill()
    os._exit(0)  # terminate() would wait for the lock for ever
