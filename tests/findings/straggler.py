"""All tasks wait for the last one: it is alone for more than half of the call, however slow the machine is."""

import time
from multiprocessing import Event, Pool, Value

begun = time.monotonic()
last_began = Event()
done = Value("i", 0)


def work(x):
    if x == 7:
        last_began.set()
        while done.value < 7:
            time.sleep(0.01)
        time.sleep(1 + time.monotonic() - begun)
        return
    if x == 6:
        last_began.wait()
    with done:
        done.value += 1


if __name__ == "__main__":
    with Pool(4) as pool:
        pool.map(work, range(8), chunksize=1)
