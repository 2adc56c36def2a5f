"""The executable as it is handed out."""
