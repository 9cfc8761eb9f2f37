"""map blocks until all results are there, in input order."""

import time
from multiprocessing import Pool


def is_prime(n):
    return n > 1 and all(n % d for d in range(2, int(n**0.5) + 1))


def count_primes(limit):
    return sum(map(is_prime, range(limit)))


if __name__ == "__main__":
    limits = [15000, 5000, 20000, 10000, 5000, 15000, 20000, 10000, 5000, 15000]
    started = time.perf_counter()
    with Pool() as pool:
        counts = pool.map(count_primes, limits, chunksize=1)
    seconds = time.perf_counter() - started

    for limit, count in zip(limits, counts):
        print(f"{count} primes below {limit}")
    print(f"map took {seconds:.2f} s")
