"""Runs programs with and without the probe in turn, and prints what each side took: CPU time of the program and
its children, from `wait4`, or of its worker, from the scheduler."""
import json
import os
import statistics
import subprocess
import sys

ROUNDS = int(os.environ.get("PARVIZ_BENCH_ROUNDS", "15"))
PLAIN = {"PATH": os.environ["PATH"]}
WATCHED = dict(PLAIN, **json.loads(sys.argv[1]))
SIDES = {"plain": PLAIN, "watched": WATCHED}

POOL = """
import multiprocessing.pool, resource
def cpu():
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
began = cpu()
pool = multiprocessing.get_context("fork").Pool(2)
pool.apply(abs, (1,))
pool.close()
pool.join()
print((cpu() - began) * 1e3)
"""

ITEMS = """
import multiprocessing, sys, time
def short(x): pass
def long(x):
    end = time.perf_counter_ns() + 30000
    while time.perf_counter_ns() < end: pass
pool = multiprocessing.get_context("fork").Pool(1)
pool.map(short, range(10))
path = "/proc/%d/schedstat" % pool._pool[0].pid
def spent():
    with open(path) as file: return int(file.read().split()[0])
def cost(function, count, chunksize):
    least = None
    for _ in range(5):
        began = spent()
        pool.map(function, range(count), chunksize)
        took = (spent() - began) / count
        least = took if least is None else min(least, took)
    return least
print(cost(short, 100000, 100000), cost(long, 2000, 2000), cost(short, 2000, 1))
pool.terminate()
"""

# Items that do nothing, each a message of its own: CPU time of the program and its workers.
METHODS = """
import multiprocessing, multiprocessing.pool, os, resource
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
def nothing(x): pass
context = multiprocessing.get_context("fork")
pool, executor = context.Pool(2), ProcessPoolExecutor(2, context)
threads, thread_executor = multiprocessing.pool.ThreadPool(2), ThreadPoolExecutor(2)
def spent():
    own = resource.getrusage(resource.RUSAGE_SELF)
    total = own.ru_utime + own.ru_stime
    for pid in [worker.pid for worker in pool._pool] + list(executor._processes):
        with open("/proc/%d/schedstat" % pid) as file: total += int(file.read().split()[0]) / 1e9
    return total
def asked(pool, n): [result.get() for result in [pool.apply_async(nothing, (k,)) for k in range(n)]]
def submitted(executor, n): [each.result() for each in [executor.submit(nothing, k) for k in range(n)]]
def applied(n):
    for k in range(n): pool.apply(nothing, (k,))
for count, way in (
    (4000, lambda n: pool.map(nothing, range(n), 1)),
    (4000, lambda n: list(pool.imap(nothing, range(n)))),
    (4000, lambda n: list(pool.imap_unordered(nothing, range(n)))),
    (4000, lambda n: asked(pool, n)),
    (500, applied),
    (4000, lambda n: threads.map(nothing, range(n), 1)),
    (4000, lambda n: asked(threads, n)),
    (4000, lambda n: submitted(thread_executor, n)),
    (4000, lambda n: list(thread_executor.map(nothing, range(n)))),
    (500, lambda n: submitted(executor, n)),
    (500, lambda n: list(executor.map(nothing, range(n)))),
):
    way(20)
    began = spent()
    way(count)
    print((spent() - began) / count * 1e6)
os._exit(0)
"""
NAMES = ["Pool.map, chunksize 1", "Pool.imap", "Pool.imap_unordered", "Pool.apply_async", "Pool.apply"]
NAMES += ["ThreadPool.map, chunksize 1", "ThreadPool.apply_async", "ThreadPoolExecutor.submit"]
NAMES += ["ThreadPoolExecutor.map", "ProcessPoolExecutor.submit", "ProcessPoolExecutor.map"]


def run(words, env):
    """What it printed, and its CPU time in milliseconds."""
    child = subprocess.Popen([sys.executable, *words], env=env, stdout=subprocess.PIPE)
    said = child.stdout.read().decode().split()
    used = os.wait4(child.pid, 0)[2]
    child.returncode = 0
    return [float(word) for word in said], (used.ru_utime + used.ru_stime) * 1e3


def rounds(of):
    """For each side a list of columns."""
    took = {side: [] for side in SIDES}
    for number in range(ROUNDS + 1):
        for side, env in SIDES.items():
            values = of(env)
            if number:  # The first round fills caches.
                took[side].append(values)
    return {side: list(zip(*rows)) for side, rows in took.items()}


def table(name, columns, unit, difference):
    plain, watched = columns["plain"], columns["watched"]
    for label, a, b in zip(name, plain, watched):
        middle = statistics.median(a), statistics.median(b)
        figures = "%10.3f %10.3f %s, least %.3f %.3f" % (*middle, unit, min(a), min(b))
        if difference:
            print("%-44s %s: +%.3f, least +%.3f" % (label, figures, middle[1] - middle[0], min(b) - min(a)))
        else:
            ratio = statistics.median(y / x for x, y in zip(a, b))
            print("%-44s %s: x%.2f, least x%.2f" % (label, figures, ratio, min(b) / min(a)))


def system_calls(words, env):
    strace = ["strace", "-f", "-c", "-e", "trace=!futex", "-o", "/dev/stdout", sys.executable, *words]
    said = subprocess.run(strace, env=env, stdout=subprocess.PIPE).stdout.decode()
    return int(next(line for line in said.splitlines() if line.endswith("total")).split()[3])


print("%s, %d rounds; plain, watched" % (sys.version.split()[0], ROUNDS))
# The first program of a run has to compile the probe; its children find that done.
FIRST = {"PYTHONDONTWRITEBYTECODE": "1"}
table(["start, the first"], rounds(lambda env: [run(["-c", "pass"], dict(env, **FIRST))[1]]), "ms", False)
table(["start, another"], rounds(lambda env: [run(["-c", "pass"], env)[1]]), "ms", False)
table(["program with a Pool(2), the first"], rounds(lambda env: [run(["-c", POOL], dict(env, **FIRST))[1]]), "ms", False)
table(["Pool(2), one task, closed, joined"], rounds(lambda env: run(["-c", POOL], env)[0]), "ms", False)
labels = ["an item that does nothing, in a chunk", "an item of 30 us, in a chunk", "a chunk of one item, in its worker"]
table(labels, rounds(lambda env: [value / 1e3 for value in run(["-c", ITEMS], env)[0]]), "us", True)
table(NAMES, rounds(lambda env: run(["-uc", METHODS], env)[0]), "us an item", False)
try:
    for count, chunksize in ((1000, 1000), (100000, 100000), (1000, 1), (4000, 1)):
        text = "import multiprocessing as m; m.get_context('fork').Pool(1).map(abs, range(%d), %d)" % (count, chunksize)
        calls = [system_calls(["-c", text], env) for env in SIDES.values()]
        print("system calls but futex, %d items, %d a chunk: %d %d" % (count, chunksize, *calls))
except (FileNotFoundError, StopIteration):
    print("system calls: not counted, there is no strace here")
