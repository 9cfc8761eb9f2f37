"""Both workers of a pool, which take a while to start, wait for tasks of that same pool, with a timeout."""

from concurrent.futures import ThreadPoolExecutor, TimeoutError
from threading import Barrier
from time import sleep

pool = ThreadPoolExecutor(2, initializer=sleep, initargs=(0.2,))
both = Barrier(2)


def outer(x):
    both.wait()
    try:
        pool.submit(abs, x).result(timeout=2.5)
    except TimeoutError:
        return "timeout"
    finally:
        both.wait()


print(list(pool.map(outer, range(2))))
