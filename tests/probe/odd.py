"""Pools that are not made in the usual way: nested, with a worker or with queues of the program's own."""
import multiprocessing
from multiprocessing import pool as pools
from multiprocessing.pool import Pool, ThreadPool


def square(x):
    return x * x


def threads(x):
    with ThreadPool(2) as pool:
        return sum(pool.map(square, range(x)))


class Parent(multiprocessing.get_context("fork").Process):
    """A worker that may have children."""

    daemon = property(lambda self: False, lambda self, value: None)


class Context(type(multiprocessing.get_context("fork"))):
    Process = Parent


def processes(x):
    with multiprocessing.get_context("fork").Pool(2) as pool:
        return pool.map(square, [x])


class OwnQueues(Pool):
    def _setup_queues(self):
        self._inqueue = self._ctx.SimpleQueue()
        self._outqueue = self._ctx.SimpleQueue()
        self._quick_put = lambda task: self._inqueue.put(task)
        self._quick_get = lambda: self._outqueue.get()


def own_worker(inqueue, outqueue, *options):
    while True:
        task = inqueue.get()
        if task is None:
            break
        job, index, function, arguments, names = task
        outqueue.put((job, index, (True, function(*arguments, **names))))


original = pools.worker


def around_worker(*arguments):
    return original(*arguments)


def main():
    fork = multiprocessing.get_context("fork")
    with fork.Pool(2) as pool:
        print(pool.map(threads, range(4)))
    with Pool(2, context=Context()) as pool:
        print(pool.map(processes, range(3)))
        pool.close()
        pool.join()
    with OwnQueues(2, context=fork) as pool:
        print(pool.map(square, range(3)))
    for worker in (own_worker, around_worker):
        pools.worker = worker
        with fork.Pool(2) as pool:
            print(pool.map(square, range(3)))
    pools.worker = original
    with fork.Pool(3):
        pass


if __name__ == "__main__":
    main()
