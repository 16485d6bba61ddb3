"""What the pipeline costs, as ratios between ways of doing the same in one run. `make bench` runs it."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "plugins"))
