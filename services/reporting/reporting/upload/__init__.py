"""The page for clerks: choose feed and period, drop the file, look at the dry run, confirm."""
