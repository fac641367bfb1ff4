//! What the fuzz targets do; the ordinary tests replay seeds and past findings with the same.

pub mod targets;
