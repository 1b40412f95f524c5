"""The compiled engine: the same rules and the same rows as `sim.reference`, much faster.

The rules are written twice, here in `sim.kernel` and the modules that it imports, for Numba; tests hold
both to the same bytes. Threads run at the same time: compiled code does not hold the interpreter's lock.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from scenarios.errors import DeskError
from scenarios.model import Scenario
from scenarios.traces import Trace
from sim import kernel_rows, reference
from sim import world as worlds
from sim.codecache import is_kept, types
from sim.desk import Desk
from sim.kernel import advance, anything_waits
from sim.kernel_books import begin, close, write_cases, write_turns
from sim.kernel_layout import Memory
from sim.kernel_tables import NO_QUEUE, NO_ROOM
from sim.outcome import Outcome
from sim.policies import IdleOrder
from sim.world import World

ENGINE = "compiled"
STATE = types.int64  # the address of the state
ENTRIES = {
    begin: (STATE,),
    advance: (STATE, types.float64),
    anything_waits: (STATE,),
    close: (STATE,),
    write_turns: (STATE, types.int64),
    write_cases: (STATE, types.int64),
}
"""Functions that are called from here, with the types of what they are given."""

STEP_ROWS = 25_000  # posts that come in one of the pieces in which a run is walked, to hear of its progress
MAX_OVERFLOW = 62
_ALONE = threading.Lock()
"""Who lays out a world: threads that take turns at the interpreter would all be late, and in step from then on."""


def run(
    scenario: Scenario,
    desk: Desk,
    trace: Trace,
    seed: int,
    replication: int = 0,
    drain_h: float = 0.0,
    idle: IdleOrder | None = None,
    progress: Callable[[float], None] | None = None,
) -> Outcome:
    """Simulate one trace against one desk, as `sim.reference.run` does, to the same rows.

    Parameters
    ----------
    scenario, desk : Scenario, Desk
        Customers' behaviour and faults come from the scenario; the posts from the trace.
    trace : Trace
        Its window is the window of the run.
    seed, replication : int
        Name the draws of the run, 0 <= seed < 2^64.
    drain_h : float
        How many hours beyond the window the run may go on while anything waits; 0 cuts at its end.
    idle : callable, optional
        Refused: a policy of one's own runs on the reference engine.
    progress : callable, optional
        Called with 0 when the world is laid out, then now and then with the share of the window done, to 1.

    Returns
    -------
    Outcome

    Raises
    ------
    DeskError
        If posts come in a language that no agent serves, if a policy of one's own is given, or if
        the desk has more than 62 overflow rules.

    Notes
    -----
    The first call on a machine compiles, which takes half a minute. Cost: 0.2 to 0.7 microseconds a
    turn, whatever the number of agents; memory: some 200 bytes a turn and as many a case, rows included.
    """
    _refuse_policy(idle)
    with _ALONE:
        world = worlds.build(scenario, desk, trace, seed, replication, drain_h)
        _refuse_rules(world.desk)
        memory = Memory(world, 1)
    room = 1
    while (end_s := _play(world, memory, progress)) is None:
        room *= 2
        memory = Memory(world, room)
    turns, cases = kernel_rows.turns(memory), kernel_rows.cases(memory)
    staff, extra, shifts = (
        kernel_rows.staff(memory),
        kernel_rows.extra(memory),
        kernel_rows.shifts(world, memory, end_s),
    )
    suppressed, plan = kernel_rows.suppressed(memory), kernel_rows.plan(memory)
    memory.give_back()
    about = {**reference.about(world, seed, replication, end_s, suppressed["row"].tolist()), "engine": ENGINE}
    return Outcome(cases, turns, staff, shifts, extra, suppressed, plan, about)


def prepare(tell: Callable[[str], None]) -> None:
    """Compile what is not kept yet, and tell about it: what begins, and how long it took."""
    missing = [function for function, given in ENTRIES.items() if not is_kept(function, given)]
    if not missing:
        return
    begun = time.perf_counter()
    tell("compiling the engine, once for this version; that takes about half a minute")
    for function in missing:
        function.compile(ENTRIES[function])
    tell(f"the engine is compiled, in {time.perf_counter() - begun:.0f} s")


def _refuse_policy(idle: IdleOrder | None) -> None:
    if idle is not None:
        name = getattr(idle, "__name__", repr(idle))
        raise DeskError(
            f"the policy {name} is a function of your own, which the compiled engine cannot run; "
            "use the reference engine, or an order of routing.idle"
        )


def _refuse_rules(desk: Desk) -> None:
    if len(desk.routing.overflow) > MAX_OVERFLOW:
        raise DeskError(
            f"desk {desk.name} has {len(desk.routing.overflow)} overflow rules, the compiled engine takes "
            f"{MAX_OVERFLOW} at most; join some, or use the reference engine"
        )


def _play(world: World, memory: Memory, progress: Callable[[float], None] | None) -> float | None:
    """Run to the end of the window, then hour by hour while anything waits, and say when it was over; None: no room.

    The draws have names, so a run that begins anew gives the same rows.
    """
    begin(memory.address)
    if progress is not None:
        progress(0.0)
    # After each piece a thread asks for the interpreter, and may have to wait: few of them, and none that nobody hears.
    steps = 1 if progress is None else 1 + len(world.trace) // STEP_ROWS
    for i in range(1, steps + 1):
        at = world.end_s if i == steps else world.start_s + (world.end_s - world.start_s) * i / steps
        if not _advanced(memory, at):
            return None
        if progress is not None:
            progress(i / steps)
    at = world.end_s
    while at < world.until_s and anything_waits(memory.address):
        at = min(at + worlds.HOUR_S, world.until_s)
        if not _advanced(memory, at):
            return None
    return None if close(memory.address) == NO_ROOM else at


def _advanced(memory: Memory, until_s: float) -> bool:
    """Whether there was room enough to go on until then."""
    outcome = advance(memory.address, until_s)
    if outcome == NO_QUEUE:
        raise RuntimeError("a turn has no queue to stand in")
    return bool(outcome != NO_ROOM)
