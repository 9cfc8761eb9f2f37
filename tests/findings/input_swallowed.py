"""imap reads the whole input before the first result is there."""

import time
from multiprocessing import Event, Pool

read = Event()


def work(x):
    read.wait()
    return x


if __name__ == "__main__":
    with Pool(2) as pool:
        results = pool.imap(work, (x for x in range(500)))
        while results._length is None:
            time.sleep(0.01)
        read.set()
        print(sum(results))
