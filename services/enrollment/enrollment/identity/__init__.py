"""Which keys of the departments mean one employer (F12); ``employer_id`` is minted here."""
