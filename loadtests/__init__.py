"""The trace replayed over HTTP by Locust, open loop, against any care stack; the results and their judgement."""
