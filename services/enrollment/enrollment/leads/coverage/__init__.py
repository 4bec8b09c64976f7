"""Coverage (O6, O12): enrolled over eligible, with what the denominator rests on."""
