"""The comparison of whom the census found with the register, sealed run by run (O71, F35)."""
