"""The bare fsm task as a process."""

from functools import partial

from bench.floor.task import serve
from common import process

if __name__ == "__main__":
    process.run(partial(serve, "fsm"))
