"""How property tests run: examples may be slow on a busy machine, and are few enough for a suite that is run often."""

from hypothesis import settings

settings.register_profile("pyloto", deadline=None, max_examples=60)
settings.load_profile("pyloto")
