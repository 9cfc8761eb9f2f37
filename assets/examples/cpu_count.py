"""Pool() starts as many workers as there are processors."""

import multiprocessing

if __name__ == "__main__":
    print("Number of processors:", multiprocessing.cpu_count())
    with multiprocessing.Pool():
        workers = multiprocessing.active_children()
        print("Worker processes of Pool():", len(workers))
