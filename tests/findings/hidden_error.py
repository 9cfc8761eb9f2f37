"""One error that is asked for only after other work, and one that nobody asks for."""

import time
from multiprocessing import Pool


def work(x):
    raise ValueError("task %d" % x)


if __name__ == "__main__":
    with Pool(2) as pool:
        late = pool.apply_async(work, (1,))
        never = pool.map_async(work, [2])
        pool.close()
        pool.join()
        time.sleep(0.3)
        try:
            late.get()
        except ValueError as error:
            print(error)
