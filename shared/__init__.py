"""The shared floor: every mechanism exactly once, knowing no service."""
