"""Working on leads (F19, F20, O19, O30, O38, O50, O73): kept beside the leads, by lead.

What a lead is follows from evidence and is worked out again at any time (``leads.rules``); nothing
of that touches what officers did, and nothing they do here changes it but a decision to exclude,
which enters the evidence.
"""
