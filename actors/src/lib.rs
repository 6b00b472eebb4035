//! The actix shell: one generic actor around any machine, cells, router, timers.
