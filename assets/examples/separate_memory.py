"""Each process counts in its own memory; main sees nothing."""

import time
from multiprocessing import Pool

counter = 0


def count(_):
    global counter
    counter += 1  # changes the copy of this process only
    time.sleep(0.1)
    return counter


if __name__ == "__main__":
    with Pool(4) as pool:
        counted = pool.map(count, range(12), chunksize=1)
    print("tasks that counted:", len(counted))
    print("highest count in a worker:", max(counted))
    print("counter in the main program:", counter)
