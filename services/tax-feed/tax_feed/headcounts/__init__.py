"""What the tax office knows of headcounts: joint checks (O37, O39), the list of the unenrolled
(O40), taxable and contributing headcounts (O45)."""
