"""Money: receipts, the only source of money collected (O11), and arrears (O41)."""
