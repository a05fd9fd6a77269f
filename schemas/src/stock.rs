//! Parts: how they are promised to orders, and how they are counted.

pub mod count;
pub mod reservation;
