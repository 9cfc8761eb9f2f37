"""Many threads that do at the same moment what a process needs something for that it makes once."""
import importlib
import os
import sys
import threading

MANY = 16
MODULES = ["multiprocessing.pool", "concurrent.futures.thread", "concurrent.futures.process"]


def named(number):
    def function(x):
        return x

    function.__qualname__ = "function%d" % number
    return function


def use(module, number):
    if module == MODULES[0]:
        pool = sys.modules[module].ThreadPool(1)
        pool.map(named(number), range(2))
        pool.terminate()
    else:
        with sys.modules[MODULES[1]].ThreadPoolExecutor(1) as executor:
            list(executor.map(named(number), range(2)))


def all_at_once(modules):
    def run(number):
        module = modules[number % len(modules)]
        barrier.wait()
        importlib.import_module(module)
        if number % len(modules) < 2:
            use(module, number)

    barrier = threading.Barrier(MANY)
    threads = [threading.Thread(target=run, args=(number,)) for number in range(MANY)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


sys.setswitchinterval(1e-6)
what = sys.argv[1]
if what == "imports":
    all_at_once(MODULES)
else:
    for name in MODULES[:2]:
        importlib.import_module(name)
    if what == "child":
        child = os.fork()
        if child:
            sys.exit(os.waitpid(child, 0)[1])
    all_at_once(MODULES[:2])
