//! The life of server keys: made, published, active, retiring, gone.
