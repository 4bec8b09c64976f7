"""registration-feed: what the business registry (工商) and the quality-supervision office (质监)
know of enterprises, received and published (O49–O52)."""
