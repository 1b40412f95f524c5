"""The tables of the compiled engine: what a turn, a case, a seat, ... is made of.

`STATE` is the one record that every compiled function is given: scalars, and of each table its
address and the number of its rows. A row is reached by `row(s.turns, i, TURN)`. An index that points at
nothing is `NONE`, a time that never comes is `inf`.
"""

from __future__ import annotations

from sim.kernel_memory import Record
from sim.outcome import CASES, TURNS

TURN = Record(
    "turn",
    f8="key arrival queued start end base_s left patience_left extra",  # patience_left nan: not drawn yet
    # aside: of a case's turn, overflow rules whose time came while it was for one agent alone, as bits;
    # of a post that the trace does not hold, what happens when it has been read, and a version
    i8="number subject aside",
    i4="k agent queue sticky next younger",  # younger: who queued next in the same language
    i1="state kind language route remaining standing late",
)
CASE = Record(
    "case",
    f8="posted departure seen first_start first_reply closed left work pending asked key",
    i8="subject",
    # like: by which the classes of levers are found, a case of the trace, or -1 - the row of a call
    i4="row origin turn version tests waits extra_posts holder holder_stay last_seat base like",
    i2="k planned base_n turns attempts recontacts reopened onward parked_by",
    i1="language platform visibility topic tier sentiment cls state escalated pays back_office parked returning "
    "kept_by",
)
SEAT = Record(
    "seat",
    f8="off_s present_from idle_since on_s worked_s first_on free_from today",
    i8="started",
    # rung NONE: not of the ladder; coming: version of what he is about to do; stays: stretches of today
    # stay: how often it was switched off; place: among the idle
    i4="pool first last in_hand held stay place rung coming stays",
    i1="on stretched turning settles here",
)
POOL = Record(
    "pool",
    f8="capacity active waiting speed",
    i4="first n on busy level idle private reserve skills serves serves_end concurrency concurrency_n words words_n "
    "levels levels_n",
    i1="hands_back head_count settles",
)
QUEUE = Record(  # a queue of the world; behind them, two each, the private ones of the seats
    "queue",
    i4="serves serves_end limits limits_end spills spills_end",
    i1="deferred route",
)
LINE = Record("line", f8="key", i4="head first last root owner")  # two for each queue: fresh, overdue
SERVES = Record("serves", f8="factor", i4="pool queue")
SPILL = Record("spill", f8="after_s", i4="rule queue lever")  # lever NONE: a rule of the desk, always in force
LIMIT = Record("limit", f8="balk", i4="places taken")  # places NONE: any number
NODE = Record("node", f8="key", i4="turn child next")
HEAP = Record("heap", u8="entries slots", i8="n room free used seq hole")
ENTRY = Record("entry", f8="time", i8="slot")
SLOT = Record("slot", i8="order seq what")
AGENDA = Record("agenda", f8="time off_s worked_s", i8="order", i4="what who heads")
FAULT = Record("fault", f8="factor duplicates fails back_s share", i8="topics platforms", i4="kind law")
ONWARD = Record("onward", f8="probability", i4="law to platform visibility")
CLASS = Record("class", f8="promise_s next_s", i1="deferred")
TOPIC = Record("topic", i4="handling patience", i1="pays")
LEVER = Record(
    "lever",
    f8="effect half_s renew_s lead_s after_s since extend_s back_s probability wave false_positive delay_s",
    i8="topics classes languages platforms visibility posts",
    i4="triggers triggers_end law onwards onwards_end overdue seats promises version messages",
    i1="changes up on wanted holds promise",
)
TRIGGER = Record("trigger", f8="enter leave", i4="signal language")
RUNG = Record(
    "rung",
    f8="after_s acceptance ramp_s max_s rest_s for_s until",
    i4="triggers triggers_end law calls rests rests_end seats seats_end",
    i1="wanted holds",
)
REST = Record("rest", f8="after_s length_s")
PLAN_ROW = Record("plan_row", f8="time", i4="heads", i2="number", i1="step")
PAID_ROW = Record("paid_row", f8="start_s end_s", i4="agent")
STAFF_ROW = Record("staff_row", f8="on_s off_s", i4="agent pool")
EXTRA_ROW = Record("extra_row", f8="time", i4="case", i1="kind")
WORD = Record("word", u8="v")
FLOAT, SINGLE = Record("float", f8="v"), Record("single", f4="v")
LONG, INT, SHORT, BYTE = Record("long", i8="v"), Record("int", i4="v"), Record("short", i2="v"), Record("byte", i1="v")

TABLES = {
    "turns": TURN, "cases": CASE, "seats": SEAT, "pools": POOL, "queues": QUEUE, "lines": LINE, "pool_serves": SERVES,
    "queue_serves": SERVES, "spills": SPILL, "limits": LIMIT, "queue_limits": INT, "nodes": NODE, "heaps": HEAP,
    "agenda": AGENDA, "faults": FAULT, "fault_lists": INT, "fault_counts": INT, "onwards": ONWARD,
    "onward_lists": INT, "classes": CLASS, "topics": TOPIC, "orders": INT, "concurrency": FLOAT, "edges": FLOAT,
    "shares": FLOAT, "idle": INT, "levers": LEVER, "triggers": TRIGGER, "rungs": RUNG, "rests": REST,
    "lever_classes": CLASS, "lever_pools": BYTE, "lever_promise": BYTE, "call_promise": BYTE, "signals": INT,
    "plan": PLAN_ROW, "paid": PAID_ROW, "post_gone": SHORT, "post_parent": INT,
    "free_words": WORD, "free_counts": INT, "found": INT, "settling": INT, "staff": STAFF_ROW, "extra": EXTRA_ROW,
    "reading_queue": INT, "answer_queue": INT, "dark": INT, "case_rows": LONG, "case_classes": BYTE,
    # Columns of the trace, the class of those who call, and by which fault a post is held.
    "post_time": FLOAT, "post_case": INT, "post_kind": BYTE, "post_language": BYTE, "post_platform": BYTE,
    "post_visibility": BYTE, "post_topic": BYTE, "post_tier": BYTE, "post_sentiment": BYTE,
    "post_departure": SINGLE, "post_class": BYTE, "post_held": SHORT,
}  # fmt: skip
"""Each table with the kind of its rows."""

GROWING = ("turns", "cases", "shares", "nodes", "staff", "extra", "plan", "paid")
"""Tables whose rows the engine makes; their room is an estimate."""

STATE = Record(
    "state",
    u8=" ".join(TABLES) + " key law_kind law_a law_b law_points",
    i8=" ".join(f"{name}_n" for name in TABLES)
    + " "
    + " ".join(f"{name}_room" for name in GROWING)
    + " laws_n points_n post agenda_at stopped lane agents_free "
    "in_hand held_posts parked filtering free_node call_first call_last interval",
    f8="now sticky_s silent_share silent_cost recontact_after_s recontact_p separate_share extra_work reopen_p "
    "within_s back_office_share payment_share turn_sd_log fatigue_per_h fatigue_beyond_h recall false_positive "
    "delay_s reading_promise_s payment_eur start_s until_s interval_s declaration_s crisis_since "
    "desk_recall desk_false_positive desk_delay_s",
    i4="triage overdue lane_seats by_idle choice max_attempts unwatched turning other_turning private_queues "
    "law_extra_turn law_think law_back_office law_gap law_reopen law_reading law_call_handling law_call_patience "
    "phone_lines phone_agents call_attempts calls_in_hand calls_waiting calls_coming "
    "own_triggers buckets bucket crisis thins levers_on desk_triage desk_overdue desk_seats",
    i1="settle_all settling_now releasing",
)
TURN_COLUMNS, CASE_COLUMNS = Record("turn_columns", u8=" ".join(TURNS)), Record("case_columns", u8=" ".join(CASES))

NO_ROOM, NO_QUEUE = 1, 2  # why a run stopped

# Indices of `heaps`; of `fault_counts` and parts of `fault_lists`; of `onward_lists`.
WORK, LATER = range(2)
HELD, NO_ANSWER, CRM, PAYMENT, RULES = range(5)  # kinds of faults, too
AFTER_ABANDONED, AFTER_BLOCKED, AFTER_CALL_BLOCKED, AFTER_CALL_ABANDONED = range(4)
SAME, PUBLIC, PHONE, PLATFORM = range(4)  # where an onward leads
KEEP, FRESH_FIRST, OWN_LANE = range(3)
PEOPLE, AUTOMATIC, AT_ONCE = range(3)
FEWEST_SKILLS, LONGEST_IDLE, ORDERED, RANDOM = range(4)
BY_RANK, TIES_AT_RANDOM, ALL_AT_RANDOM, BY_LOOKING = range(4)  # how one of the free agents is chosen
NOTHING, OPEN, ASK = range(3)  # what happens when a post that the trace does not hold has been read
COME, GO, SET_LEVEL, GO_DARK, BEGIN_FAULT, END_FAULT, CHANGE_RULES = range(7)  # what stands in the agenda
BACKLOG, UNREAD_POSTS, OLDEST, POSTS_PER_H, RATIO = range(5)  # signals
ARRIVALS, RECONTACT, SEPARATE, HANDLING, PATIENCE_OF, PROMISE, HEADS, FILTER, OVERDUE, OVERFLOW_RULE, PARK = range(11)
"""What levers change."""
CALM, DECIDED, DECLARED = range(3)  # states of the crisis
