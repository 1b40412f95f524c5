"""The command line: parses, calls one room, prints; no modelling.

Each module holds the commands of one trade. A room is imported inside the function that needs it, so that
``ashcloud --help`` stays quick; that is also why these modules may name every room, which no other may.
"""
