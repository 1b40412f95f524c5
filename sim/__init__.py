"""How care copes: desks, the engine that plays a trace against a desk, and what is measured on it.

Public: `sim.desk.Desk`, `sim.library` (desks by name), `sim.reference.run`, `sim.outcome.Outcome`,
`sim.measures`, `sim.replicate`, `sim.compare`. This room imports `scenarios` alone.
"""
