"""Nothing wrong and nothing slow, in each kind of pool."""

import concurrent.futures
import time
from multiprocessing import Pool
from multiprocessing.pool import ThreadPool


def work(x):
    time.sleep(0.04)
    return x


if __name__ == "__main__":
    tasks = range(16)
    with Pool(2) as pool:
        pool.map(work, tasks)
        pool.starmap_async(pow, [(1, 2)] * 8).get()
        list(pool.imap(work, tasks))
        list(pool.imap_unordered(work, tasks, chunksize=2))
        pool.apply(work, (1,))
        [result.get() for result in [pool.apply_async(work, (x,)) for x in tasks]]
    with ThreadPool(2) as pool:
        pool.map(work, tasks)
    with concurrent.futures.ProcessPoolExecutor(2) as executor:
        list(executor.map(work, tasks))
    with concurrent.futures.ThreadPoolExecutor(2) as executor:
        futures = [executor.submit(work, x) for x in tasks]
        print([future.result() for future in futures])
