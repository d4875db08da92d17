"""The page, for a Hugging Face Space or `python app.py` at home: the same as `femr app`."""

import os
import sys

from femr.__main__ import main

if __name__ == "__main__":
    if os.environ.get("SPACES_ZERO_GPU"):
        import spaces  # type: ignore[import-not-found]

        spaces.GPU(lambda: None)  # ZeroGPU starts no app that has no function for a GPU; nobody calls this one

    sys.exit(main(["app", *sys.argv[1:]]))
