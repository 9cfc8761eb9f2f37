"""A callback that raises a KeyError: its call never comes to its end, and the pool goes on without it."""

from multiprocessing import Pool

names = {}


def callback(result):
    names[result]


if __name__ == "__main__":
    with Pool(1) as pool:
        never = pool.apply_async(abs, (-1,), callback=callback)
        # The one worker and the thread that runs callbacks take this one after the other.
        print(pool.apply(abs, (-2,)), never.ready())
