"""When a lead is there, why, and how it ends: a pure function of everything known.

The bus may bring the facts of two producers in any order, before or after the register moves. So
nothing here depends on the order of arrival: what is known of an employer is sorted by the day it
took effect, and the leads are what follows from that story. Whoever learns something new works the
leads out again and publishes the difference. So a finding about an employer that was in the
register by then never was a lead, even where it came before the register was loaded.

* ``unenrolled-employer``: evidence (a licence, code certificate or tax registration not struck
  off, a standing finding or pre-levy of the tax office, a complaint, a finding of the inspection,
  someone the census found working there) while the employer is not in the register. Closed by the
  register (``enrolled``), by its being struck off (``ceased``), or when the last evidence is taken
  back (``evidence-withdrawn``), F20; or two officers decide against each piece of it
  (``excluded``).
  What was a lead of an employer found to be another is that other's: void here (``merged``).
* ``not-fully-enrolled``: in the register, with fewer active insured than the last known taxable
  headcount, or with persons the census found there who are not active there (F22). The larger of
  the two is the gap: the persons found may be among the headcount. It compares the present with
  the present and keeps no story.

A decision to exclude is told once for each piece of evidence it was made upon, and speaks against
that alone: whatever it did not weigh, told before or after it, keeps the lead open or opens
another. A larger headcount than the one weighed is new evidence. A decision revoked never was: the
lead it closed is open again, or ended by what has happened since.
"""

from __future__ import annotations

from enrollment.leads.rules.gaps import gap_of, gap_outcome
from enrollment.leads.rules.telling import as_reported_last, story_of, weighed_by
from enrollment.leads.rules.terms import (
    CEASED,
    DECLARED,
    ENROLLED,
    ENTERED,
    EXCLUDED,
    FOUND,
    FOUND_UNENROLLED,
    GONE,
    LEFT,
    MERGED,
    NOT_FULLY,
    PERSON,
    REGISTERED,
    REPORTED,
    STRUCK_OFF,
    UNENROLLED,
    WITHDRAWN,
    WORD_OF,
    Desired,
    Entry,
    Event,
    Story,
    as_recorded,
)

__all__ = [
    "CEASED",
    "DECLARED",
    "ENROLLED",
    "ENTERED",
    "EXCLUDED",
    "FOUND",
    "FOUND_UNENROLLED",
    "GONE",
    "LEFT",
    "MERGED",
    "NOT_FULLY",
    "PERSON",
    "REGISTERED",
    "REPORTED",
    "STRUCK_OFF",
    "UNENROLLED",
    "WITHDRAWN",
    "WORD_OF",
    "Desired",
    "Entry",
    "Event",
    "Story",
    "as_recorded",
    "as_reported_last",
    "gap_of",
    "gap_outcome",
    "story_of",
    "weighed_by",
]
