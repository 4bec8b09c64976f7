"""Tables as offices send them (CSV, TSV, XLSX), read once into the records a feed judges.

What reads (``spec``, ``characters``, ``decoding``, ``delimited``, ``workbook``, ``sheet``,
``layout``, ``cleaning``, ``sums``, ``reading``) is pure and runs in a bounded process of its own
(``program``); the rest lies between it and the delivery.
"""
