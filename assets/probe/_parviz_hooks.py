"""Ways to hook in: attributes and calls that tell, without a frame in anybody's traceback.

What holds: a hook never raises into the program, and none of it is on the stack while the original waits or runs.
"""
load("_parviz_frames", "_parviz_ring", "_parviz_tell")


def quietly(function):
    """A hook that never raises into the program."""

    def hook(*arguments):
        try:
            return function(*arguments)
        except Exception:
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
        except Exception:
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
            except Exception:
                pass
        return value

    def __set__(self, owner, value):
        if self.on_set is not None:
            try:
                value = self.on_set(owner, value)
            except Exception:
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
        except Exception:
            pass

    kind.__init__ = like(__init__, original)


def like(function, original):
    for name in ("__module__", "__name__", "__qualname__", "__doc__"):
        setattr(function, name, getattr(original, name))
    return function


def watch_waits(condition, call, kinds):
    """Tells when somebody waits for this condition, from the two methods that `wait` calls around it."""
    kind = type(condition)
    watched = kinds.get(kind)
    if watched is None:
        watched = kinds[kind] = watched_kind(kind)
    condition.__dict__.pop("_release_save", None)
    condition.__dict__.pop("_acquire_restore", None)
    condition._parviz = call
    condition.__class__ = watched


def watched_kind(kind):
    class Condition(kind):
        def _release_save(self):
            try:
                tell(BLOCK, 0, self._parviz, waits_in(get_frame(2)))
            except Exception:
                pass
            lock = self._lock
            save = getattr(lock, "_release_save", None)
            return save() if save is not None else lock.release()

        def _acquire_restore(self, state):
            lock = self._lock
            restore = getattr(lock, "_acquire_restore", None)
            if restore is not None:
                restore(state)
            else:
                lock.acquire()
            try:
                tell(UNBLOCK, 0, self._parviz)
            except Exception:
                pass

    return like_class(Condition, kind)


def like_class(kind, original):
    for name in ("__module__", "__name__", "__qualname__"):
        setattr(kind, name, getattr(original, name))
    return kind
