"""Enrollment: who an employer is, who is in the register, and who should be and is not."""
