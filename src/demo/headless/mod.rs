//! The whole demo without a browser: every step does something and compares what came back.
