"""Task 3 kills its worker as the first argument says, while task 4 still waits; every later future gets the error."""

import os
import signal
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool


def work(x, how="", ready=""):
    if x == 3:
        while not os.path.exists(ready):
            time.sleep(0.01)
        if how == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        os._exit(3)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder, ProcessPoolExecutor(1) as executor:
        ready = os.path.join(folder, "ready")
        executor.submit(work, 0).result()
        futures = [executor.submit(work, x, sys.argv[1], ready) for x in (1, 2, 3, 4, 5)]
        open(ready, "w").close()
    print(sum(isinstance(future.exception(), BrokenProcessPool) for future in futures))
