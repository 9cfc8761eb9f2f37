"""map runs tasks side by side; apply, one after another."""

import time
from multiprocessing import Pool


def square(x):
    time.sleep(0.1)  # stands for real work
    return x * x


if __name__ == "__main__":
    with Pool(4) as pool:
        started = time.perf_counter()
        squares = pool.map(square, range(8), chunksize=1)
        print(f"map:   {squares} in {time.perf_counter() - started:.2f} s")

        started = time.perf_counter()
        squares = [pool.apply(square, (x,)) for x in range(8)]
        print(f"apply: {squares} in {time.perf_counter() - started:.2f} s")
