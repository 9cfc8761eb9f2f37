"""Tiny tasks: sending them takes longer than doing them."""

import time
from multiprocessing import Pool


def add_one(x):
    return x + 1


if __name__ == "__main__":
    numbers = range(30_000)
    started = time.perf_counter()
    in_loop = [add_one(x) for x in numbers]
    print(f"plain loop: {(time.perf_counter() - started) * 1000:.1f} ms")

    with Pool(2) as pool:
        started = time.perf_counter()
        in_pool = pool.map(add_one, numbers, chunksize=1)
        print(f"pool.map:   {(time.perf_counter() - started) * 1000:.1f} ms")
    print("same results:", in_loop == in_pool)
