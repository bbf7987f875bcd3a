"""An OpenAI-compatible LLM server with delays and faults, for tests, benchmarks and demos; it knows no schema of ours."""
