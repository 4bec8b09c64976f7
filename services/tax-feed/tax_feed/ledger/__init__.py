"""All that was said of one employer in checks, receipts and arrears, with totals."""
