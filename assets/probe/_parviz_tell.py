"""What this process says: records, and the numbers in them for its threads and for texts, which are sent once.

What holds: no code of the program runs to name a function or an exception of it, and no text is without bound.
"""
import os
import sys
from _thread import get_ident, get_native_id
from functools import partial
from types import BuiltinFunctionType, FunctionType, MethodType

load("_parviz_ring")

SHORT_TEXT = 1000


def tell(kind, flags, a, b=0, c=0, n=0, t=None):
    """Writes a record. Where it is done for every task, `emit` is called with the words put together there:
    kind, flags, CPU (not known), thread and n are one, a and b another."""
    emit(kind | flags << 8 | NO_CPU | me() << 32 | n << 48, now() if t is None else t, a | b << 32, c)


def me():
    """The number of this thread."""
    try:
        return local.number
    except AttributeError:
        return new_thread()


def new_thread():
    threading = sys.modules.get("threading")
    thread = threading and threading._active.get(get_ident())
    number = local.number = thread_number(thread) if thread else min(threads(), 65535)
    name = thread.name if thread else ""
    if type(name) is not str:
        name = ""
    head = number.to_bytes(4, order) + get_native_id().to_bytes(4, order)
    connection.say(THREAD_IS, head + text_bytes(name))
    if get_native_id() != os.getpid():
        local.leaving = Leaving(number)
    return number


class Leaving:
    """Belongs to a thread, and goes with it."""

    def __init__(self, number):
        self.number = number
        self.thread = os.getpid(), get_ident()

    def __del__(self):
        try:
            if self.thread == (os.getpid(), get_ident()):
                emit(THREAD_END | NO_CPU | self.number << 32, now(), 0, 0)
        except Exception:
            pass


def thread_number(thread):
    """The number a thread has or will have in this process, whoever asks first."""
    pid = os.getpid()
    there = thread.__dict__.get("_parviz")
    if there is None or there[0] != pid:
        if there is not None:
            del thread.__dict__["_parviz"]
        there = thread.__dict__.setdefault("_parviz", (pid, min(threads(), 65535)))
    return there[1]


def string(text):
    """The number of a text, which is sent once."""
    number = strings.get(text)
    if number is None:
        if len(strings) >= 1 << 16:
            return NONE
        own = string_numbers()
        number = strings.setdefault(text, own)
        if number == own:
            connection.say(STRING, number.to_bytes(4, order) + text_bytes(text))
    return number


def name_of(function):
    """The name of what is called; no code of the program runs for it."""
    for _ in range(8):
        if type(function) is not partial:
            break
        inner = function.func
        if type(inner) is BuiltinFunctionType and inner.__qualname__ == "Context.run" and function.args:
            inner = function.args[0]  # As `asyncio.to_thread` calls it.
        function = inner
    kind = type(function)
    if kind in (FunctionType, BuiltinFunctionType, MethodType):
        return function.__qualname__[:SHORT_TEXT]
    if kind is type:
        return function.__qualname__[:SHORT_TEXT]
    return type.__dict__["__qualname__"].__get__(kind)[:SHORT_TEXT]


def error_text(error):
    """As Python prints it in its last line, as far as no code of the program runs for it."""
    kind = type(error)
    name = type.__dict__["__qualname__"].__get__(kind)[:SHORT_TEXT]
    if kind.__module__ not in ("builtins", "__main__") and type(kind.__module__) is str:
        name = kind.__module__ + "." + name
    values = BaseException.args.__get__(error)
    plain = all(type(value) in (str, int, float, bool, type(None)) for value in values)
    small = all(type(value) is not int or value.bit_length() < 4096 for value in values)
    if type(kind.__str__) is not type(object.__str__) or not plain or not small:
        return name
    if any(type(value) is str and len(value) > SHORT_TEXT for value in values):
        text = next(value for value in values if type(value) is str)[:SHORT_TEXT]
    else:
        text = str(error)[:SHORT_TEXT]
    return name + ": " + text if text else name


def error_string(error):
    if len(strings) > 4096:
        return string(type(error).__qualname__[:SHORT_TEXT])
    return string(error_text(error))


def note(kind, about, text, value, flags=0):
    tell(NOTE, flags, about, text, int(value) & NONE, kind)


def no_probe(part, reason):
    connection.no_probe(text_bytes(part + "\0" + reason))
