"""What happens: the model of a scenario, its library, and the generator that turns it into a trace.

Public: `scenarios.model.Scenario`, `scenarios.library` (by name), `scenarios.generate.generate`,
`scenarios.traces` (reading and writing), `scenarios.expected`, `scenarios.text` (readable messages).
This room imports no other.
"""
