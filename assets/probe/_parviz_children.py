"""The processes that multiprocessing starts: what is hooked in each before it runs, and what is told when it ends.

A hook runs after the fork and before `run` of the process; it may stand in for the queues in its arguments. What
holds: a child that is no worker of a kind in `worker_kinds` is left alone.
"""
import os
import sys

load("_parviz_hooks", "_parviz_ring", "_parviz_tell")


def call_number(job):
    return job & 0x7FFFFFFF


class Anchor:
    """multiprocessing forgets the after-fork hooks of what has gone; this stays."""


anchor = Anchor()
# What prepares the worker in a process: pairs of a test and a hook, each given the process.
worker_kinds = []


def in_child(_):
    """In every child of multiprocessing, before its `run`."""
    from multiprocessing import process

    current = process.current_process()
    for is_kind, hook in worker_kinds:
        if is_kind(current):
            tell(WORKER_BEGIN, 0, os.getppid())
            return hook(current)


def watch_children(util):
    if worker_kinds:
        return
    hook = quietly(in_child)
    util.register_after_fork(anchor, hook)
    from multiprocessing import context

    # Some versions skip the hooks in a process that was not forked.
    original = context.SpawnProcess.__dict__.get("_after_fork")
    if original is not None:

        def _after_fork():
            original.__func__()
            hook(None)

        context.SpawnProcess._after_fork = staticmethod(like(_after_fork, original.__func__))


def worker_ends(progress, is_executor):
    """In a worker that ends by itself, whatever made it. Up to 3.12 an exception is still on its way; later it is
    known only how far the worker was."""
    error = sys.exc_info()[1]
    text = NONE if error is None else error_string(error)
    flags = progress.work
    if progress.message is not None:
        call, chunk = message_place(progress.message) if not flags else (NONE, 0)
        about = call_number(call) if call != NONE else NONE
        note(UNPICKLABLE_ARGUMENT, about, text, chunk)
    elif progress.is_running():
        if error is not None:
            code = getattr(error, "code", 1)
            code = code if type(code) is int else 0 if code is None else 1
            note(WORKER_EXIT, progress.call, text, code, flags)
    elif not progress.waited and (error is not None or is_executor or sys.version_info >= (3, 13)):
        note(INITIALIZER_RAISED, NONE, text, 0)
    progress.farewell()
    tell(WORKER_END, 0, 0)


# How many bytes pickle takes for an integer that is not negative: BININT1, BININT2, BININT.
INTEGERS = {0x4B: 2, 0x4D: 3, 0x4A: 5}


def message_ok(data):
    """Of a pickled `(job, index, (ok, value))`: ok."""
    try:
        at = 11 if data[2] == 0x95 else 2
        at += INTEGERS[data[at]]
        at += INTEGERS[data[at]]
        return data[at] == 0x88
    except (KeyError, IndexError):
        return True


def message_place(data):
    """Of a pickled tuple of five: the first two, which are the numbers of the call and of the chunk."""
    try:
        first = 12 if data[2] == 0x95 else 3
        second = first + INTEGERS[data[first]]
        end = second + INTEGERS[data[second]]
        return int.from_bytes(data[first + 1 : second], "little"), int.from_bytes(data[second + 1 : end], "little")
    except (KeyError, IndexError):
        return NONE, 0
