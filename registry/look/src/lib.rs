//! How Ramal's windows look.
