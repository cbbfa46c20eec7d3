//! Fakes, builders, a manual clock and the conformance suite that every adapter runs.
