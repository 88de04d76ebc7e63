"""The write-ahead record of cycles, intents, attempts and outcomes, and the history that is read from it."""
