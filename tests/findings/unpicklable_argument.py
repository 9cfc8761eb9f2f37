"""An argument that is pickled well and cannot be unpickled."""

import multiprocessing
import time
from multiprocessing import Pool


def broken():
    raise ValueError("nobody can make me")


class Argument:
    def __reduce__(self):
        return broken, ()


def work(argument):
    return 1


def workers():
    return {worker.pid for worker in multiprocessing.active_children()}


if __name__ == "__main__":
    with Pool(1) as pool:
        first = workers()
        pool.apply_async(work, (Argument(),))
        while not workers() - first:
            time.sleep(0.01)
        pool.apply(work, (1,))
