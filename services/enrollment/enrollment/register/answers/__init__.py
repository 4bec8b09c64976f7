"""What the API says of the register, by what is asked."""
