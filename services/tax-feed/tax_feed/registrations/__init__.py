"""Tax registrations and the notice to enrol that starts the clock (O38)."""
