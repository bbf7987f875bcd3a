"""Settings of the context service."""

from pathlib import Path

from common.settings import StoreSettings
from context_service.parse import DOCUMENTS


class ContextSettings(StoreSettings):
    """What the context service needs besides the shared settings."""

    context_listen: str = "127.0.0.1:50054"
    """host:port of the gRPC server."""
    context_dir: Path = DOCUMENTS
    """The folder with the three documents."""
    context_poll_s: float = 1.0
    """How often the documents are looked at for changes, in seconds."""
