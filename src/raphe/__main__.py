"""``python -m raphe``: the same as the command ``raphe``."""

import sys

from raphe.cli import main

if __name__ == "__main__":
    sys.exit(main())
