"""Large arguments and large results for tasks that do next to nothing."""

from multiprocessing import Pool


def work(numbers):
    return numbers[::-1]


if __name__ == "__main__":
    numbers = [str(n) for n in range(400_000)]
    with Pool(2) as pool:
        print(len(pool.map(work, [numbers] * 8, chunksize=1)))
