"""Closes all descriptors that it does not know, and has files of its own in their place, also in its workers."""
import gc
import os
import sys
from multiprocessing import get_context

try:
    # A thread that ends opens this library, maybe a while after its join; whoever closes it then ends the program.
    import ctypes
    ctypes.CDLL("libgcc_s.so.1")
except (ImportError, OSError):
    pass

fork = get_context("fork")
both = fork.Barrier(2)


def square(x):
    return x * x


def write(number):
    both.wait()
    return os.write(number, b"%d\n" % number)


def main():
    when, folder = sys.argv[1:]
    if when == "after":
        with fork.Pool(2) as pool:
            print(pool.map(square, range(4)))
        pool.join()
        # What is left of it would close its descriptors later, whatever they are by then.
        del pool
        gc.collect()
    os.closerange(3, 1024)
    own = {}
    for place in range(12):
        file = open(os.path.join(folder, str(place)), "wb", buffering=0)
        own[file.fileno()] = file
    for number in (240, 900, 901):
        os.dup2(min(own), number)
    with fork.Pool(2) as pool:
        print(pool.map(write, list(own) + [240, 900], 1))
        print(pool.map(square, range(3)))
    pool.join()
    for number in (240, 900, 901):
        os.write(number, b"end\n")
    for file in own.values():
        file.close()
        with open(file.name) as text:
            print(file.name[-1], sorted(text.read().split()))


if __name__ == "__main__":
    main()
