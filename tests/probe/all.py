"""Every method of every pool, with what each of them may meet; prints a traceback."""
import multiprocessing
import re
import sys
import time
import traceback
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, as_completed, wait
from multiprocessing.pool import ThreadPool


def square(x):
    return x * x


def add(a, b):
    return a + b


def slow(x):
    time.sleep(0.003 * (5 - x % 5))
    return x


def bad(x):
    if x == 3:
        raise ValueError("bad 3")
    return x


def unpicklable(x):
    return lambda: x


def tell(call):
    try:
        print(call())
    except Exception:
        print(re.sub("0x[0-9a-f]+", "0x", traceback.format_exc()))


def pools(context):
    with context.Pool(2) as pool:
        print(pool.map(square, range(10)))
        print(pool.starmap(add, [(1, 2), (3, 4)]))
        print(pool.apply(add, (1,), {"b": 5}))
        print(pool.map_async(slow, range(10), chunksize=1).get())
        print(pool.starmap_async(add, [(1, 2)] * 3).get(timeout=60))
        print([result.get() for result in [pool.apply_async(slow, (i,)) for i in range(6)]])
        print(list(pool.imap(slow, range(10))))
        print(sorted(pool.imap_unordered(slow, range(10))))
        print(list(pool.imap(square, range(10), chunksize=3)))
        print(sorted(pool.imap_unordered(square, range(10), 3)))
        print(list(pool.imap(square, [])), pool.map(square, []))
        # With one chunk at a time, where it fails is the same in every run.
        tell(lambda: pool.map(bad, range(2, 4), chunksize=2))
        tell(lambda: pool.map(add, range(1)))
        tell(lambda: pool.apply(unpicklable, (1,)) is None)
        tell(lambda: pool.map(square, [lambda: 1]))
        tell(lambda: list(pool.imap(square, (1 // i for i in range(1)))))
        tell(lambda: pool.map(square, [1], chunksize="x"))
    tell(lambda: context.Pool(0))
    with context.Pool(2, maxtasksperchild=2) as pool:
        squares = pool.map(square, range(8), chunksize=1)
    # A worker that is forked meanwhile, to replace another, would print what waits to be written once more.
    print(squares)


def executors(context):
    for executor in (ProcessPoolExecutor(2, mp_context=context), ThreadPoolExecutor(2)):
        with executor:
            print(list(executor.map(square, range(10), chunksize=4)))
            print(sorted(future.result() for future in as_completed([executor.submit(slow, i) for i in range(5)])))
            futures = [executor.submit(add, i, i) for i in range(3)]
            wait(futures)
            print([future.result() for future in futures])
            failed = executor.submit(bad, 3)
            wait([failed])
            tell(failed.result)


def main():
    context = multiprocessing.get_context(sys.argv[1])
    pools(context)
    with ThreadPool(2) as pool:
        print(pool.map(slow, range(5)), list(pool.imap_unordered(square, range(1))))
        tell(lambda: pool.map(bad, [3]))
    executors(context)
    print("over", file=sys.stderr)
    sys.exit(7)


if __name__ == "__main__":
    main()
