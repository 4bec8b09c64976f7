"""The page at ``/``: progress and trust at one look, in Chinese or English."""
