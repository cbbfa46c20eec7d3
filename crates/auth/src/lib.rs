//! Tokens and passwords behind the ports.
