"""The page, for a Hugging Face Space or `python app.py` at home: the same as `femr app`."""

import sys

from femr.__main__ import main

if __name__ == "__main__":
    sys.exit(main(["app", *sys.argv[1:]]))
