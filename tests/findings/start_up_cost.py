"""A pool of fresh interpreters for four tasks that do nothing; what each of them imports takes its time."""

import time
from multiprocessing import get_context

if __name__ == "__mp_main__":
    time.sleep(0.7)

if __name__ == "__main__":
    with get_context("spawn").Pool(2) as pool:
        print(pool.map(abs, [-1, -2, -3, -4]))
