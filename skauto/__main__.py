"""`python -m skauto` is the command line."""

import sys

from skauto._cli import main

if __name__ == "__main__":
    sys.exit(main())
