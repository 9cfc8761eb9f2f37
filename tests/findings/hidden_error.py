"""One error that is asked for only after other work, and two that nobody asks for."""

import time
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import Pool

begun = time.monotonic()


def work(x):
    raise ValueError("task %d" % x)


if __name__ == "__main__":
    with Pool(2) as pool:
        late = pool.apply_async(work, (1,))
        never = pool.map_async(work, [2])
        pool.close()
        pool.join()
    # Half of the run at the least, however slow the machine is.
    time.sleep(2 + time.monotonic() - begun)
    try:
        late.get()
    except ValueError as error:
        print(error)
    with ThreadPoolExecutor(2) as executor:
        executor.map(work, [3])
