"""Waits for pools that are interrupted, each followed by a call of another pool."""
import signal
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing.pool import ThreadPool


class Interrupted(Exception):
    pass


armed = []


def handler(_, frame):
    while armed and frame is not None:
        if frame.f_code.co_name == "join" and "threading" in frame.f_code.co_filename:
            armed.clear()
            raise Interrupted
        frame = frame.f_back


def interrupted(wait):
    """Interrupts this as soon as it waits for a thread."""
    over = threading.Event()
    main = threading.get_ident()

    def interrupt():
        while not over.wait(0.01):
            signal.pthread_kill(main, signal.SIGUSR1)

    armed.append(True)
    threading.Thread(target=interrupt).start()
    try:
        wait()
    except Interrupted:
        print("interrupted")
    finally:
        over.set()
    with ThreadPool(1) as pool:
        pool.map(abs, [1])


def main():
    signal.signal(signal.SIGUSR1, handler)
    end = threading.Event()
    pool = ThreadPool(1)
    pool.apply_async(end.wait)
    pool.close()
    interrupted(pool.join)
    executor = ThreadPoolExecutor(1)
    executor.submit(end.wait)
    interrupted(executor.shutdown)
    end.set()
    pool.join()
    ThreadPoolExecutor(1).shutdown(wait=False)
    ProcessPoolExecutor(1).shutdown()


if __name__ == "__main__":
    main()
