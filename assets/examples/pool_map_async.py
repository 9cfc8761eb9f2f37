"""map_async returns at once: main works on meanwhile."""

import time
from multiprocessing import Pool


def square(x):
    time.sleep(0.15)  # stands for real work
    return x * x


if __name__ == "__main__":
    with Pool(4) as pool:
        result = pool.map_async(square, range(16), chunksize=1)
        print("map_async is back; all results there:", result.ready())
        total = sum(n * n for n in range(2_000_000))  # main's own work
        print("main has computed", total)
        print(result.get())  # blocks until the rest is there
