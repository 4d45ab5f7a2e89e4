"""Every Python process of the suite lives on the suite's day: found through `PYTHONPATH`."""

import os
import time

if _moved := float(os.environ.get("SOCLE_TEST_SHIFT", "0")):
    import time_machine

    time_machine.travel(time.time() + _moved, tick=True).start()
