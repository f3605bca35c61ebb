"""The `zerorpc` command line of zerorpc 0.6.3 on any Python."""

import sys

import compat

compat.restore_collections()

from zerorpc.cli import main  # noqa: E402  (needs the restored names)

if __name__ == "__main__":
    sys.argv[0] = "zerorpc"
    sys.exit(main())
