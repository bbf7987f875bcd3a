"""The one tree of errors; each class knows its gRPC status and whether a retry can help.

PylotoError
├── InvalidInput           INVALID_ARGUMENT     no   the caller sent something wrong; names the field
├── NotFound               NOT_FOUND            no   there is no such conversation, turn or dead letter
├── IllegalTransition      FAILED_PRECONDITION  no   the table forbids the move
├── Conflict               ABORTED              yes  somebody else wrote first; read again and retry
├── Overloaded             RESOURCE_EXHAUSTED   yes  a limit of ours is reached
├── DeadlineExceeded       DEADLINE_EXCEEDED    no   the turn's time is spent
├── Unavailable            UNAVAILABLE          yes  a part we need does not answer
│   ├── StoreUnavailable                             MongoDB
│   ├── BrokerUnavailable                            RabbitMQ (a publish that was not confirmed)
│   └── ModelUnavailable                             the LLM provider, or its circuit is open
├── ModelMisbehaved        INTERNAL             no   the LLM answered, but not what the schema asks
├── Unauthenticated        UNAUTHENTICATED      yes  the caller showed no valid token; once the settings agree it works
└── InvalidSetting         FAILED_PRECONDITION  no   a setting or document is wrong; the process stops and names it
"""

from typing import ClassVar

import grpc


class PylotoError(Exception):
    """The root. `str(error)` says what, which value, and what to do; it is safe to show to the caller."""

    code: ClassVar[grpc.StatusCode] = grpc.StatusCode.INTERNAL
    retryable: ClassVar[bool] = False


class InvalidInput(PylotoError):  # noqa: N818 - the names are the field's, without a suffix
    """A value from outside is wrong. `field` is its path as the caller wrote it, such as `messages[0].text`."""

    code = grpc.StatusCode.INVALID_ARGUMENT

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


class NotFound(PylotoError):  # noqa: N818
    """There is nothing under that name."""

    code = grpc.StatusCode.NOT_FOUND


class IllegalTransition(PylotoError):  # noqa: N818
    """The state table forbids the move."""

    code = grpc.StatusCode.FAILED_PRECONDITION


class Conflict(PylotoError):  # noqa: N818
    """A version-checked write lost the race; read again and retry."""

    code = grpc.StatusCode.ABORTED
    retryable = True


class Overloaded(PylotoError):  # noqa: N818
    """A limit of ours is reached; later it may work."""

    code = grpc.StatusCode.RESOURCE_EXHAUSTED
    retryable = True


class DeadlineExceeded(PylotoError):  # noqa: N818
    """The time that the caller gave is spent."""

    code = grpc.StatusCode.DEADLINE_EXCEEDED


class Unavailable(PylotoError):  # noqa: N818
    """A part that we need does not answer."""

    code = grpc.StatusCode.UNAVAILABLE
    retryable = True


class StoreUnavailable(Unavailable):
    """MongoDB does not answer, or refuses the operation for now."""


class BrokerUnavailable(Unavailable):
    """RabbitMQ does not answer, or did not confirm a publish."""


class ModelUnavailable(Unavailable):
    """The LLM provider fails, limits us, is too slow for the deadline, or its circuit is open."""


class ModelMisbehaved(PylotoError):  # noqa: N818
    """The LLM answered, but not with what the schema asks, even after the repair attempt."""


class Unauthenticated(PylotoError):  # noqa: N818
    """The caller showed no valid token. A roll-out of a new one reaches the services one after the other, so waiting helps."""

    code = grpc.StatusCode.UNAUTHENTICATED
    retryable = True


class InvalidSetting(PylotoError):  # noqa: N818
    """A setting or a document is wrong; the process stops at start and names it."""

    code = grpc.StatusCode.FAILED_PRECONDITION
