"""A made city the size and shape of Benxi, deterministic by seed, that knows its own truth.

No row of it is about anybody: organisations carry the codes PDY00001–PDY99999 that GB 11714
leaves to private use and 示例 ("sample") in every name; people carry identity numbers with order
numbers 980–995, which are not issued.
"""

from kuomian.city.sending import Planned, Planted
from kuomian.city.story import City, build_city

__all__ = ["City", "Planned", "Planted", "build_city"]
