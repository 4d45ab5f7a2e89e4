"""Run the figures and print them: {"name", "ratio", "limit", "ok", "detail"}.

Both sides of a ratio run in turn, on one machine and in one run; medians are compared. The exit
code is 0 even when a limit is passed: a figure is read by people, a slow neighbour fails no build.
"""

import json
import sys

from tests.bench.ground import prepare

if __name__ == "__main__":
    prepare()
    from tests.bench import figures

    for figure in figures.ALL:
        if len(sys.argv) > 1 and not any(word in figure.__name__ for word in sys.argv[1:]):
            continue
        sys.stdout.write(json.dumps(figure(), ensure_ascii=False) + "\n")
        sys.stdout.flush()
