"""The write-ahead journal and the history, on SQLAlchemy Core."""
