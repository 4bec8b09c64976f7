"""Records of the register's four feeds become state and facts.

``judging`` is what the four judges share; ``ledger`` and ``entries`` go through a chunk's moves
of persons and of employers in record order, each move one fact, and settle them set-based.
"""
