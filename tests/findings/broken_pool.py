"""Task 3 kills its worker as the first argument says, while task 4 still waits; every later future gets the error."""

import os
import signal
import sys
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool


def work(x, how):
    if x == 3:
        if how == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        os._exit(3)


if __name__ == "__main__":
    with ProcessPoolExecutor(1) as executor:
        executor.submit(work, 0, "").result()
        futures = [executor.submit(work, x, sys.argv[1]) for x in (1, 2, 3, 4, 5)]
    print(sum(isinstance(future.exception(), BrokenProcessPool) for future in futures))
