"""A department's push: kept raw, judged record by record, applied in chunks, receipted."""
