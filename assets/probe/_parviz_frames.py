"""Frames of the program and of its libraries: their locals, and who called whom for what.

What holds: a frame that is looked at keeps nothing alive that it would not keep by itself. `inner_files` are those
whose frames stand between the program and a wait or a call; the files of the probe are among them. But nobody called
what a thread, a worker or a future runs for somebody: `runners` are the codes of what runs it.
"""
import sys

load("_parviz_ring", "_parviz_tell")

get_frame = sys._getframe
runners = set()


def runs(*functions):
    """These run what they were given."""
    codes = (getattr(function, "__code__", None) for function in functions)
    runners.update(code for code in codes if code is not None)


def is_between(frame):
    return frame is not None and frame.f_code.co_filename in inner_files and frame.f_code not in runners


def local_of(frame, name):
    """A local of a function that runs. What older Pythons keep for this would hold on to all its locals."""
    return locals_of(frame, name)[0]


def locals_of(frame, *names):
    there = frame.f_locals
    values = [there.get(name) for name in names]
    if type(there) is dict and frame.f_code.co_flags & 1:
        there.clear()
    return values


WAITS = {"map": 1, "starmap": 2, "apply": 3, "get": 4, "wait": 4, "next": 5, "<genexpr>": 5}
WAITS.update({"result_iterator": 5, "_chain_from_iterable_of_lists": 5, "result": 6, "exception": 6})
WAITS.update({"as_completed": 7})


def waits_in(frame):
    name = None
    while is_between(frame):
        name = frame.f_code.co_name
        place = frame.f_code.co_filename
        frame = frame.f_back
    if name == "wait" and place.endswith("_base.py"):
        return 7
    return WAITS.get(name, 0)


def caller_of(frame):
    """The outermost frame of the library and the one of the program that called it, be it through asyncio; none
    where a loop called for a task of its own, or a library runs what it was given."""
    last = None
    while is_between(frame):
        last = frame
        frame = frame.f_back
    if frame is not None and frame.f_code in runners:
        return last, None
    while frame is not None and is_asyncio(frame):
        frame = None if frame.f_code.co_name == "_run" else frame.f_back
    return last, frame


def is_asyncio(frame):
    name = frame.f_globals.get("__name__")
    return type(name) is str and name.startswith("asyncio.")


# The last text of each method and what it was made of.
last_texts = {}


def call_text(method, function, frame):
    """The number of the text of a call; a loop makes the same one again and again."""
    if frame is None:
        return string("%s\0%s\0\0" % (method, function))
    code, line = frame.f_code, frame.f_lineno
    there = last_texts.get(method)
    if there is not None and there[0] is strings and there[1] is code and there[2:4] == (line, function):
        return there[4]
    text = string("%s\0%s\0%s\0%d" % (method, function, code.co_filename[-1000:], line or 0))
    last_texts[method] = strings, code, line, function, text
    return text
