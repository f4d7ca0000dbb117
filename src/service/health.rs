//! What the service can do at the moment, for health checks of every protocol.
