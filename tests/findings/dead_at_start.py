"""Something ends each worker before its first task: worker after worker dies of it."""

import os
import time
from multiprocessing import get_context

fork = get_context("fork")
begun = fork.Value("i", 0)


def initialize():
    with begun:
        begun.value += 1
    os._exit(3)


if __name__ == "__main__":
    with fork.Pool(2, initializer=initialize) as pool:
        pool.apply_async(abs, (1,))
        while begun.value < 12:
            time.sleep(0.01)
