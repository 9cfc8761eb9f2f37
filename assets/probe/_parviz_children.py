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


def watch_leaving(progress, process):
    """From 3.13 on an exception has been handled when the worker ends: it is looked at where the process handles it.
    Only the lines of that function are told of, and only once it is on its way out: nothing that the program runs is
    any slower. The number of the tool is the last one that a program would take for itself."""
    monitoring = getattr(sys, "monitoring", None)
    if monitoring is None or sys.version_info < (3, 13):
        return
    tools = [tool for tool in (4, 3) if monitoring.get_tool(tool) in (None, "parviz")]
    if not tools:
        return

    def passed(code, _):
        error = sys.exc_info()[1]
        if error is None:
            return None
        progress.raised = last_words(error)
        return monitoring.set_local_events(tools[0], code, 0)

    # A worker that was forked inside a task has that of the one above.
    if monitoring.get_tool(tools[0]) is None:
        monitoring.use_tool_id(tools[0], "parviz")
    events = monitoring.events.LINE
    monitoring.register_callback(tools[0], events, passed)
    monitoring.set_local_events(tools[0], type(process)._bootstrap.__code__, events)


def last_words(error):
    """The number of its text, and the exit code that it makes: nothing of the error is kept."""
    code = getattr(error, "code", 1)
    code = code if type(code) is int else 0 if code is None else 1
    return error_string(error), code


def worker_ends(progress, is_executor):
    """In a worker that ends by itself, whatever made it. Up to 3.12 an exception is still on its way."""
    error = sys.exc_info()[1]
    text, code = progress.raised if error is None else last_words(error)
    flags = progress.work
    if progress.message is not None:
        call, chunk = message_place(progress.message) if not flags else (NONE, 0)
        about = call_number(call) if call != NONE else NONE
        note(UNPICKLABLE_ARGUMENT, about, text, chunk)
    elif progress.is_running():
        if code is not None:
            note(WORKER_EXIT, progress.call, text, code, flags)
    elif not progress.waited and (code is not None or is_executor or sys.version_info >= (3, 13)):
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
    except ours((KeyError, IndexError)):
        return True


def message_place(data):
    """Of a pickled tuple of five: the first two, which are the numbers of the call and of the chunk."""
    try:
        first = 12 if data[2] == 0x95 else 3
        second = first + INTEGERS[data[first]]
        end = second + INTEGERS[data[second]]
        return int.from_bytes(data[first + 1 : second], "little"), int.from_bytes(data[second + 1 : end], "little")
    except ours((KeyError, IndexError)):
        return NONE, 0
