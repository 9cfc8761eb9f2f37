"""A fresh interpreter for each task; what each of them imports takes longer than the task."""

import time
from multiprocessing import get_context

if __name__ == "__mp_main__":
    time.sleep(0.2)


def work(x):
    return x


if __name__ == "__main__":
    with get_context("spawn").Pool(2, maxtasksperchild=1) as pool:
        print(pool.map(work, range(8), chunksize=1))
