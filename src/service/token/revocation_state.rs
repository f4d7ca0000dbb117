//! Whether tokens can be judged: the index of revocations and how fresh it is.
