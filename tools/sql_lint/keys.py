"""The keys by which a statement reads a part of what it would."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "plugins"))

from clickstream.engine import among

batch, line, typed = among.BATCH_KEY, among.LINE_KEY, among.TYPED_KEY
