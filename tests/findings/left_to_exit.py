"""Pools that nobody closes: the interpreter ends them when it exits."""

import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import Pool


def work(x):
    time.sleep(0.04)
    return x


if __name__ == "__main__":
    pool = Pool(2)
    pool.map(work, range(8))
    idle = Pool(2)
    idle.map(work, range(8))
    executor = ProcessPoolExecutor(2)
    print(list(executor.map(work, range(8))))
