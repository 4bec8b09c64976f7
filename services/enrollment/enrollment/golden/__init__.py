"""The golden record (主档) of employers: what each department says of them, which word counts for
which field, and where they contradict each other (F16)."""
