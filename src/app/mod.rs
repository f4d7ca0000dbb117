//! temporary
pub mod data_folder;
pub mod start_error;
pub mod system;
