"""How many people, in which languages, from when, on which shifts: staffing on top of the engines.

Two answers, never mixed: the *requirement*, as if all stood ready, and the *reachable plan*, with the
heads, lead times and labour rules that there are.
"""
