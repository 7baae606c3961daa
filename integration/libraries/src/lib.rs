//! Home of the test that runs whole third-party C libraries as grafts: see `tests/libraries`.
