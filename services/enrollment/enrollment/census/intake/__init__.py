"""The census's feeds: records judged, and what they make of the state."""
