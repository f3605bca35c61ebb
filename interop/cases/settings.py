"""Writes the settings of a native run: what stands for the programs of the images.

    python3 cases/settings.py DIRECTORY-OF-OUR-PROGRAMS [PYTHON-2.7]
"""

import json
import os
import shutil
import sys

INTEROP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PACKAGES = os.path.join(INTEROP, "packages", "native")


def main():
    ours, python2 = sys.argv[1], sys.argv[2]
    programs = {
        "/interop-peer": os.path.join(ours, "interop-peer"),
        "/zrpc": os.path.join(ours, "zrpc"),
        "python3": sys.executable,
        "python2.7": python2,
    }
    for name in os.listdir(os.path.join(INTEROP, "peers")):
        programs["/peers/" + name] = os.path.join(INTEROP, "peers", name)
    environments = {"ours": {}}
    for name in ("python3", "python2.7"):
        if os.path.isdir(os.path.join(PACKAGES, name)):
            environments[name] = {
                "PYTHONPATH": os.path.join(PACKAGES, name), "PYTHONDONTWRITEBYTECODE": "1"}
    modules = os.path.join(PACKAGES, "node", "node_modules")
    if shutil.which("node") and os.path.isdir(modules):
        environments["node"] = {"NODE_PATH": modules}
    json.dump({"programs": programs, "environments": environments}, sys.stdout, indent=2)


main()
