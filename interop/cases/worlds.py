"""Where peers run: what a world offers to the cases, and what it does not."""


class NotOffered(Exception):
    """The case cannot be had here; the text says why."""


class World:
    """Hosts by their kinds. `name` is how people call it; one that `has_all` fails without a kind."""

    name = ""
    has_all = False

    def has(self, kind):
        """Whether there are hosts of that kind."""
        raise NotImplementedError

    def take(self, kinds):
        """A host of each of these kinds that nobody else uses; `None` while they are in use. Raises
        `NotOffered` if there never are so many."""
        raise NotImplementedError

    def give_back(self, hosts):
        """What was taken may be used by others, if it is fit."""
        raise NotImplementedError

    def facts(self):
        """One line about what it consists of."""
        raise NotImplementedError


class Host:
    """A machine, or what stands for one. What only separate machines can suffer is not offered. One
    that could not be put in order after a case is not `is_fit` for another."""

    name = ""
    kind = ""
    is_fit = True

    def endpoint(self, port):
        """Where others find what listens at `port` here."""
        raise NotImplementedError

    def listening(self, port):
        """What a server here binds to be found there."""
        raise NotImplementedError

    def start(self, command):
        """Starts a peer program."""
        raise NotImplementedError

    def run(self, command):
        """Runs a command to its end; returns its exit code and output."""
        raise NotImplementedError

    def kill(self, program):
        """`kill -9`."""
        raise NotImplementedError

    def pause(self, program):
        """Nothing here runs until `resume`; connections stay."""
        raise NotImplementedError

    def resume(self, program):
        """Ends `pause`."""
        raise NotImplementedError

    def vanish(self, program):
        """The program is gone for its peers, without a goodbye."""
        raise NotImplementedError

    def reappear(self, program):
        """Ends `vanish`."""
        raise NotImplementedError

    def disconnect(self):
        """Pulls the network cable."""
        raise NotOffered("needs separate hosts: Docker only")

    def reconnect(self):
        """Puts it back; the address is the same."""
        raise NotOffered("needs separate hosts: Docker only")

    def take_name(self, name):
        """From now on `name` means this host, too."""
        raise NotOffered("needs names that move: Docker only")

    def impair(self):
        """Makes the link slow and lossy; returns how."""
        raise NotOffered("needs a link of its own: Docker only")

    def repair(self):
        """Ends `impair`."""

    def heal(self):
        """Undoes what a case that failed may have left."""
