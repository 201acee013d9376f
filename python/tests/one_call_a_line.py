"""Carries out what stands in each line of stdin, and answers a line: how another program asks through this SDK."""

import json
import sys

from quarterdeck import Quarterdeck, QuarterdeckError

for line in sys.stdin:
    asked = json.loads(line)
    qd = Quarterdeck(token=asked["token"], retry_for=0)
    method = getattr(getattr(qd, asked["noun"]), asked["verb"])
    try:
        said = {"value": method(**asked["input"])}
    except QuarterdeckError as error:
        said = {"refused": error.code}
    print(json.dumps(said), flush=True)
