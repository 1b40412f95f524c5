"""A desk's own past, read from files: interval counts, contacts, schedules; fitted to a scenario."""
