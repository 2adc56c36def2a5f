"""What outlives a restart: one SQLite file in the data folder, one module a table."""
