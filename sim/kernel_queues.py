"""Queues of the compiled engine: turns by place (key, arrival, number, k), smallest first (rule 4).

Most turns come in the order of their places, so a line holds a run of those that did, first to last, and
a pairing heap of the others. A queue is two lines, as overdue turns may stand apart. A turn that has
left is dropped when it comes to the head. Source of the heap: Fredman, Sedgewick, Sleator and Tarjan
(1986), Algorithmica 1, 111-129.
"""

from __future__ import annotations

from typing import Any

from scenarios.names import NONE
from sim.codecache import part
from sim.kernel_memory import prefetch, row
from sim.kernel_tables import LINE, NO_ROOM, NODE, TURN
from sim.outcome import TurnState
from sim.turns import INF

WAITING = int(TurnState.WAITING)


@part
def stands_before(s: Any, one: Any, other: Any) -> Any:
    """Whether turn `one` has the smaller place."""
    a, b = row(s.turns, one, TURN), row(s.turns, other, TURN)
    if a.key != b.key:
        return a.key < b.key
    if a.arrival != b.arrival:
        return a.arrival < b.arrival
    if a.number != b.number:
        return a.number < b.number
    return a.k < b.k


@part
def _node_before(s: Any, one: Any, other: Any) -> Any:
    a, b = row(s.nodes, one, NODE), row(s.nodes, other, NODE)
    return a.key < b.key or (a.key == b.key and stands_before(s, a.turn, b.turn))


@part
def _meld(s: Any, one: Any, other: Any) -> Any:
    """One heap out of two that are not empty: its root."""
    if _node_before(s, other, one):
        one, other = other, one
    a, b = row(s.nodes, one, NODE), row(s.nodes, other, NODE)
    b.next = a.child
    a.child = other
    return one


@part
def _without_root(s: Any, root: Any) -> Any:
    """The heap without its root: the new root."""
    at = row(s.nodes, root, NODE).child
    # Pair the children from the left, keeping the pairs in a chain from the last to the first ...
    pairs = NONE
    while at != NONE:
        first = row(s.nodes, at, NODE)
        second = first.next
        if second == NONE:
            first.next = pairs
            pairs = at
            break
        rest = row(s.nodes, second, NODE).next
        pair = _meld(s, at, second)
        row(s.nodes, pair, NODE).next = pairs
        pairs = pair
        at = rest
    if pairs == NONE:
        return NONE
    # ... and meld them on the way back.
    whole = pairs
    at = row(s.nodes, whole, NODE).next
    while at != NONE:
        rest = row(s.nodes, at, NODE).next
        whole = _meld(s, whole, at)
        at = rest
    return whole


@part
def _new_node(s: Any, turn: Any) -> Any:
    place = s.free_node
    if place != NONE:
        s.free_node = row(s.nodes, place, NODE).next
    elif s.nodes_n < s.nodes_room:
        place = s.nodes_n
        s.nodes_n += 1
    else:
        s.stopped = NO_ROOM
        return NONE
    node = row(s.nodes, place, NODE)
    node.key, node.turn, node.child, node.next = row(s.turns, turn, TURN).key, turn, NONE, NONE
    return place


@part
def stand(s: Any, line: Any, turn: Any) -> Any:
    """The turn stands in a line."""
    place = _new_node(s, turn)
    if place == NONE:
        return
    q = row(s.lines, line, LINE)
    if q.last == NONE:
        q.first = q.last = place
    elif not _node_before(s, place, q.last):
        row(s.nodes, q.last, NODE).next = place
        q.last = place
    else:
        q.root = place if q.root == NONE else _meld(s, q.root, place)
    if q.head == NONE or _node_before(s, place, q.head):
        q.head, q.key = place, row(s.nodes, place, NODE).key


@part
def _drop_head(s: Any, q: Any) -> Any:
    """Take the head out of a line that is not empty."""
    gone = q.head
    if gone == q.first:
        q.first = row(s.nodes, gone, NODE).next
        if q.first == NONE:
            q.last = NONE
    else:
        q.root = _without_root(s, gone)
    row(s.nodes, gone, NODE).next = s.free_node
    s.free_node = gone
    q.head = q.first
    if q.root != NONE and (q.head == NONE or _node_before(s, q.root, q.head)):
        q.head = q.root
    if q.head == NONE:
        q.key = INF
    else:
        head = row(s.nodes, q.head, NODE)
        q.key = head.key
        prefetch(row(s.turns, head.turn, TURN))
        prefetch(row(s.nodes, max(head.next, 0), NODE))


@part
def first(s: Any, line: Any) -> Any:
    """The turn with the smallest place in a line, NONE if nobody stands there."""
    q = row(s.lines, line, LINE)
    while q.head != NONE:
        turn = row(s.nodes, q.head, NODE).turn
        t = row(s.turns, turn, TURN)
        if t.state == WAITING and (q.owner == NONE or t.sticky == q.owner):
            return turn
        _drop_head(s, q)
    return NONE


@part
def drop(s: Any, queue: Any, turn: Any) -> Any:
    """Take a turn that has left out of the lines of a queue, if it is a head there: what is next may lie far away."""
    for line in range(2 * queue, 2 * queue + 2):
        q = row(s.lines, line, LINE)
        if q.head != NONE and row(s.nodes, q.head, NODE).turn == turn:
            _drop_head(s, q)


@part
def part_overdue(s: Any, queue: Any) -> Any:
    """Turns of a queue whose key has passed go into its other line."""
    fresh = row(s.lines, 2 * queue, LINE)
    while fresh.key < s.now:
        turn = first(s, 2 * queue)
        if turn == NONE or fresh.key >= s.now:
            return
        _drop_head(s, fresh)
        stand(s, 2 * queue + 1, turn)


@part
def take_any(s: Any, queue: Any) -> Any:
    """Take out the turn with the smallest place, overdue or not; NONE if nothing waits."""
    turn, other = first(s, 2 * queue), first(s, 2 * queue + 1)
    if turn == NONE or (other != NONE and stands_before(s, other, turn)):
        turn = other
        queue_line = 2 * queue + 1
    else:
        queue_line = 2 * queue
    if turn != NONE:
        _drop_head(s, row(s.lines, queue_line, LINE))
    return turn


@part
def regroup(s: Any, queue: Any) -> Any:
    """Overdue turns of a queue stand with the others again: the rule about them changes."""
    turn = first(s, 2 * queue + 1)
    while turn != NONE:
        _drop_head(s, row(s.lines, 2 * queue + 1, LINE))
        stand(s, 2 * queue, turn)
        turn = first(s, 2 * queue + 1)
