"""More processes than CPUs, of which one at a time computes, while other programs want every CPU."""

import os
import subprocess
import sys
import time
from multiprocessing import Pool

CPUS = len(os.sched_getaffinity(0))


def work(x):
    end = time.process_time() + 0.1
    while time.process_time() < end:
        sum(range(1000))


# Until whoever started it is gone.
OTHER = "import os, sys\nwhile os.getppid() == int(sys.argv[1]): pass"

if __name__ == "__main__":
    others = [subprocess.Popen([sys.executable, "-I", "-S", "-c", OTHER, str(os.getpid())]) for _ in range(3 * CPUS)]
    try:
        with Pool(2 * CPUS) as pool:
            for x in range(8):
                pool.apply(work, (x,))
    finally:
        for other in others:
            other.kill()
            other.wait()
