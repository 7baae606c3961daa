//! Decides whether the final bytes of a text segment are safe to run.
