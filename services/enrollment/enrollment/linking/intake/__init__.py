"""Matching, joining and parting employers."""
