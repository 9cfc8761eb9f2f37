"""Ways to hook in: attributes and calls that tell, without a frame in anybody's traceback.

What holds: a hook raises nothing of its own into the program (see `ours`), and none of it is on the stack while the
original waits or runs.
"""
import os
from _thread import get_ident
from functools import partial
from itertools import chain

load("_parviz_frames", "_parviz_ring", "_parviz_tell")


def quietly(function):
    """A hook that never raises into the program."""

    def hook(*arguments):
        try:
            return function(*arguments)
        except ours():
            return None

    return hook


def then(function, after):
    """Calls `function()` and gives what `after` makes of its value. All of it is C: nothing of the probe is on
    the stack while it waits, nor in the traceback of what it raises."""
    return map(after, iter(function, object())).__next__


def between(before, function, after):
    """As `then`, but `before` is called, and has returned, before `function` is; `after` gets the values of both."""
    return map(after, iter(before, object()), iter(function, object())).__next__


class Before:
    """A method that tells when it is looked up; what is called then is the original."""

    def __init__(self, function, hook):
        self.function = function
        self.hook = hook

    def __get__(self, owner, kind=None):
        if owner is None:
            return self.function
        try:
            self.hook(owner)
        except ours():
            pass
        return self.function.__get__(owner, kind)


class Attribute:
    """An attribute of instances that tells when it is read or set, and may change the value then."""

    def __init__(self, name, on_set=None, on_get=None):
        self.name = name
        self.on_set = on_set
        self.on_get = on_get

    def __get__(self, owner, kind=None):
        if owner is None:
            raise AttributeError(self.name)
        try:
            value = owner.__dict__[self.name]
        except KeyError:
            raise AttributeError(self.name) from None
        if self.on_get is not None:
            try:
                return self.on_get(owner, value)
            except ours():
                pass
        return value

    def __set__(self, owner, value):
        if self.on_set is not None:
            try:
                value = self.on_set(owner, value)
            except ours():
                pass
        owner.__dict__[self.name] = value

    def __delete__(self, owner):
        try:
            del owner.__dict__[self.name]
        except KeyError:
            raise AttributeError(self.name) from None


def after_init(kind, hook):
    """Runs `hook(self)` after the constructor."""
    original = kind.__init__

    def __init__(self, *arguments, **options):
        original(self, *arguments, **options)
        try:
            hook(self)
        except ours():
            pass

    kind.__init__ = like(__init__, original)


def like(function, original):
    for name in ("__module__", "__name__", "__qualname__", "__doc__"):
        setattr(function, name, getattr(original, name))
    return function


class Waiting:
    """The frame of a method that waits has this, where a tracer would put its own; it goes with the frame, and then
    nobody waits there, however that came."""

    def __init__(self, frame, what):
        self.thread = None
        tell(BLOCK, 0, NONE, what)
        if frame.f_trace is None:
            self.thread = os.getpid(), get_ident()
            frame.f_trace = self

    def __call__(self, *arguments):
        return None

    def over(self):
        thread, self.thread = self.thread, None
        if thread == (os.getpid(), get_ident()):
            tell(UNBLOCK, 0, NONE)

    def each(self, values):
        """It is over when all of them were waited for."""
        for value in values:
            yield value
        quietly(self.over)()

    def __del__(self):
        quietly(self.over)()


def watch_waits(condition, call, kinds):
    """Tells when somebody waits for this condition, from the two methods that `wait` calls around it."""
    kind = type(condition)
    watched = kinds.get(kind)
    if watched is None:
        watched = kinds[kind] = watched_kind(kind)
    condition._parviz = call
    condition.__class__ = watched


def watched_kind(kind):
    class Condition(kind):
        @property
        def _release_save(self):
            """Looked up by `wait`, with the lock held. It calls what this gives, and `_acquire_restore` with what that
            gave: both are C, as those of the lock are, so whatever a signal handler raises meanwhile the lock is
            released and its state kept, or neither; and it is taken again whatever becomes of the hook.

            The state is an iterator. Going through it gives that of the lock, which `max` calls `restore` with, and
            then runs the hook, which ends it."""
            call, there = self._parviz, self.__dict__
            try:
                tell(BLOCK, 0, call, waits_in(get_frame(2)))
            except ours():
                pass

            def woken():
                try:
                    tell(UNBLOCK, 0, call)
                except ours():
                    pass

            lock = self._lock
            restore = getattr(lock, "_acquire_restore", None)
            if restore is None:  # It has no state, and `acquire` takes another argument.
                restore = partial(next, iter(lock.acquire, None))
            there["_acquire_restore"] = partial(max, key=restore)
            release = getattr(lock, "_release_save", lock.release)
            return map(chain, zip(iter(release, there)), (iter(woken, None),)).__next__

    return like_class(Condition, kind)


def like_class(kind, original):
    for name in ("__module__", "__name__", "__qualname__"):
        setattr(kind, name, getattr(original, name))
    return kind
