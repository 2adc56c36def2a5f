"""What happened, for people who must find out why."""
