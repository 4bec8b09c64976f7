"""Employers joined beyond their numbers and parted again: by rule or by people (F13, F14)."""
