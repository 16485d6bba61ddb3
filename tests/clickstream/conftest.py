"""Hypothesis without its time limit an example: the machine may be busy with a demo."""

from hypothesis import settings

settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
