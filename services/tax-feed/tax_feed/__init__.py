"""tax-feed: what the local tax office (地税) knows of headcounts, payments and arrears, received
and published (O37–O48)."""
