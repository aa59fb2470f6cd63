//! The referee: cases of operations whose results are known, built with gradus and compared.
//!
//! [`folder`] reads cases, [`formulas`] says what each operation is in gradus, [`judge`] compares; [`table`] lists them all.

pub mod attributes;
pub mod folder;
pub mod formulas;
pub mod judge;
pub mod table;

pub use folder::{Case, Folder};
pub use judge::{Verdict, judge};
