"""Every metric of the system, by name: what an operator can see, and nothing that names a person."""

from prometheus_client import Counter, Gauge, Histogram, start_http_server

from common.errors import InvalidSetting
from common.settings import parse_address

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 2.5, 2.8, 3.0, 4.0, 6.0, 10.0, 30.0)

RPC_SECONDS = Histogram("pyloto_rpc_seconds", "Time in a gRPC handler.", ["method", "code"], buckets=_SECONDS)
RPC_IN_FLIGHT = Gauge("pyloto_rpc_in_flight", "gRPC calls being handled.", ["method"])

TASK_SECONDS = Histogram("pyloto_task_seconds", "Time of one LLM task, by who answered.", ["task", "source"], buckets=_SECONDS)
TASK_FALLBACKS = Counter("pyloto_task_fallbacks_total", "Answers of the deterministic path.", ["task", "reason"])
LLM_CALLS = Counter("pyloto_llm_calls_total", "Requests to the LLM provider.", ["task", "outcome"])
LLM_CALL_SECONDS = Histogram("pyloto_llm_call_seconds", "Time of one request to the LLM provider.", ["task"], buckets=_SECONDS)
LLM_TOKENS = Counter("pyloto_llm_tokens_total", "Tokens; input includes the cached ones.", ["task", "kind"])
LLM_COST = Counter("pyloto_llm_cost_usd_total", "Cost by the configured prices per million tokens.", ["task"])
BREAKER_STATE = Gauge("pyloto_llm_breaker_state", "0 closed, 1 half-open, 2 open.", ["task"])

ILLEGAL_PROPOSALS = Counter("pyloto_fsm_illegal_proposals_total", "Proposals of the LLM that the table refused.", ["proposal"])
TRANSITIONS = Counter("pyloto_fsm_transitions_total", "Moves of the state machine.", ["to_state"])
ABUSE_BLOCKED = Counter("pyloto_fsm_abuse_total", "Turns stopped before any LLM call.", ["kind"])
INJECTIONS = Counter("pyloto_fsm_injections_total", "Attempts to change or extract the instructions.")

GUARD_BLOCKS = Counter(
    "pyloto_guard_blocks_total", "Texts that the guard stopped, by door and violation.", ["door", "violation"]
)

MESSAGES = Counter("pyloto_messages_total", "Inbound messages by outcome.", ["outcome"])
TURN_SECONDS = Histogram("pyloto_turn_seconds", "From publication to confirmed answer.", ["fallback"], buckets=_SECONDS)
LATE_ANSWERS = Counter("pyloto_late_answers_total", "Answers after the promised time.")
QUEUE_LAG_SECONDS = Histogram("pyloto_queue_lag_seconds", "From publication to consumption.", buckets=_SECONDS)
BURST_SIZE = Histogram("pyloto_burst_messages", "Messages answered by one turn.", buckets=(1, 2, 3, 4, 5, 8, 12, 20))
TURNS_IN_FLIGHT = Gauge("pyloto_turns_in_flight", "Turns being answered.")
DUPLICATES = Counter("pyloto_duplicates_suppressed_total", "Inbound messages that came again after their turn had begun.")
TURN_RETRIES = Counter("pyloto_turn_retries_total", "Attempts of a turn that had to be made again.", ["error"])
DEAD_LETTERS = Counter("pyloto_dead_letters_total", "Inbound messages set aside.", ["reason"])
DEGRADED_FORMS = Counter("pyloto_degraded_forms_total", "Forms that the channel's limits did not allow.", ["wanted", "sent"])

CONTEXT_INFO = Gauge("pyloto_context_loaded", "1 for the context version in use.", ["version"])
CONTEXT_REJECTED = Counter("pyloto_context_rejected_total", "Edits of the documents that were refused.")


def serve(listen: str) -> None:
    """Serve the metrics over HTTP on `host:port`, from a thread of their own; nothing when `listen` is empty."""
    if listen:
        host, port = parse_address(listen, "METRICS_LISTEN")
        try:
            start_http_server(port, addr=host)
        except OSError as error:
            raise InvalidSetting(f"METRICS_LISTEN: cannot listen on {listen!r} ({error.strerror})") from error
