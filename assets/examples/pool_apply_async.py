"""apply_async: each call is one task, fetched with get()."""

import time
from multiprocessing import Pool


def square(x):
    time.sleep(0.3 if x % 4 == 0 else 0.1)  # some tasks take longer
    return x * x


if __name__ == "__main__":
    arrived = []  # filled by the callbacks, in any order
    calls = []
    with Pool(4) as pool:
        for x in range(12):
            call = pool.apply_async(square, (x,), callback=arrived.append)
            calls.append(call)
        print("main goes on; calls made:", len(calls))
        squares = [call.get() for call in calls]
    print("as asked for:", squares)
    print("as arrived:  ", arrived)
