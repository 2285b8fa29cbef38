"""The screens: one page a file; what all share is in ``frame/``. No arithmetic stands here."""
