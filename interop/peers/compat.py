"""Names that zerorpc 0.6.3 uses and that later standard libraries dropped.

zerorpc stays as published: what is put back is put back in the standard
library of this process, before zerorpc is imported.
"""

import collections
import inspect


def restore_collections():
    """`collections.Iterator`, gone since Python 3.10: the command line cannot print without it."""
    try:
        import collections.abc
    except ImportError:
        return  # Python 2 has them where they are looked for.
    for name in ("Iterator", "Iterable", "Mapping", "MutableMapping", "Sequence", "Callable"):
        if not hasattr(collections, name):
            setattr(collections, name, getattr(collections.abc, name))


def restore_getargspec():
    """`inspect.getargspec`, gone since Python 3.11: a server cannot describe its methods without it."""
    if not hasattr(inspect, "getargspec"):
        inspect.getargspec = lambda function: tuple(inspect.getfullargspec(function)[:4])


def remove_getargspec():
    """Makes any Python behave as 3.11 and later, where introspection fails."""
    if hasattr(inspect, "getargspec"):
        del inspect.getargspec
