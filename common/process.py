"""What every process does round its `main`: run one event loop, and stop with a clear word on a wrong setting."""

import asyncio
import os
import sys
from collections.abc import Callable, Coroutine

from common.errors import InvalidSetting

EXIT_SETTING = 78
"""EX_CONFIG of sysexits.h."""


def run(main: Callable[[], Coroutine[object, object, None]]) -> None:
    """Run `main` to its end; a wrong setting prints its name and what is expected, and exits with 78."""
    try:
        asyncio.run(main())
    except InvalidSetting as error:
        print(f"pyloto: wrong setting\n{error}", file=sys.stderr)
        raise SystemExit(EXIT_SETTING) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def announce_port(port: int) -> None:
    """Write the port to the file that PYLOTO_PORT_FILE names, so that a parent that asked for port 0 learns it."""
    if path := os.environ.get("PYLOTO_PORT_FILE"):
        with open(f"{path}.new", "w", encoding="ascii") as file:
            file.write(str(port))
        os.replace(f"{path}.new", path)
