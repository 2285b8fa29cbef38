"""What every page stands in: who looks, at which round, in which language, and how things look."""
