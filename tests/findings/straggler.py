"""All tasks wait for the last one: it is alone for more than half of the call, however slow the machine is."""

import time
from multiprocessing import get_context

begun = time.monotonic()
fork = get_context("fork")
last_began = fork.Event()
done = fork.Value("i", 0)


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
    with fork.Pool(4) as pool:
        pool.map(work, range(8), chunksize=1)
