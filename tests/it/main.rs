//! One binary of integration tests: each module drives the real program.
