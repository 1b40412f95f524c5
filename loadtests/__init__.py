"""The trace replayed over HTTP by Locust, open loop, against any care stack. Not built yet."""
