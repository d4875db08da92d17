"""Where femr can be installed: python -m benchmarks.wheels prints docs/install.md's tables; needs uv and a network.

uv resolves each system and Python with wheels alone, as that system's own markers choose them; nothing is installed.
"""

import os
import re
import subprocess
from collections.abc import Mapping
from types import MappingProxyType

INSTALLS: Mapping[str, str] = MappingProxyType(
    {
        "the package, `pip install .`": "pyproject.toml",
        "the app with both engines, `requirements.txt`": "requirements.txt",
    }
)
SYSTEMS: Mapping[str, str] = MappingProxyType(
    {
        "Linux x86-64, glibc 2.28": "x86_64-manylinux_2_28",
        "Linux ARM64, glibc 2.35": "aarch64-manylinux_2_35",
        "Windows x86-64": "x86_64-pc-windows-msvc",
        "macOS 14, Apple silicon": "aarch64-apple-darwin",
        "macOS 14, Intel": "x86_64-apple-darwin",
    }
)
PYTHONS = ("3.11", "3.12", "3.13", "3.14")


def lacking(requirements: str, system: str, python: str) -> str:
    """The package in whose way it stands, empty where all can be installed."""
    target = ["--python-platform", system, "--python-version", python]
    command = ["uv", "pip", "compile", "--quiet", "--no-header", "--only-binary", ":all:", *target, requirements]
    environment = {**os.environ, "MACOSX_DEPLOYMENT_TARGET": "14.0"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return ""
    reason = re.search(r"Because ([\w-]+).*? has no wheels", done.stderr)
    if reason is None:
        raise RuntimeError(done.stderr)
    return reason[1]


def main() -> None:
    """Print a table for each way to install."""
    for title, requirements in INSTALLS.items():
        print(f"| {title} | {' | '.join(PYTHONS)} |", "|---|" + "---|" * len(PYTHONS), sep="\n")
        for name, system in SYSTEMS.items():
            found = [lacking(requirements, system, python) for python in PYTHONS]
            print(f"| {name} | {' | '.join(f'no {package}' if package else 'yes' for package in found)} |", flush=True)
        print()


if __name__ == "__main__":
    main()
