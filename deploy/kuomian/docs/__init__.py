"""Pages below ``docs/`` made from the code: ``python -m kuomian.docs`` writes them anew."""
