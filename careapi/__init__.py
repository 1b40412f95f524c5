"""The reference care service: takes mentions in, queues them, hands them to agents. Not built yet."""
