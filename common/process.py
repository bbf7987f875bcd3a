"""What every process does round its `main`: run one event loop, and stop with a clear word on a wrong setting."""

import asyncio
import gc
import os
import sys
from collections.abc import Callable, Coroutine

from common.errors import InvalidSetting, PylotoError

EXIT_SETTING = 78
"""EX_CONFIG of sysexits.h."""

_COLLECTION = (20_000, 20, 50)
"""Python's own 700, 10 and 10 make the collector walk the turns in flight dozens of times a second, and find nothing."""


def run(main: Callable[[], Coroutine[object, object, None]]) -> None:
    """Run `main` to its end; what keeps it from serving is said in a line: a wrong setting exits with 78, all else with 1."""
    try:
        asyncio.run(main())
    except InvalidSetting as error:
        print(f"pyloto: wrong setting\n{error}", file=sys.stderr)
        raise SystemExit(EXIT_SETTING) from None
    except PylotoError as error:
        print(f"pyloto: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def rest_collector() -> None:
    """Everything is loaded and stays for the life of the process: walking it again and again would cost turns their time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECTION)


def ready(port: int) -> None:
    """The process serves: tell the parent its port."""
    rest_collector()
    if path := os.environ.get("PYLOTO_PORT_FILE"):
        with open(f"{path}.new", "w", encoding="ascii") as file:
            file.write(str(port))
        os.replace(f"{path}.new", path)
