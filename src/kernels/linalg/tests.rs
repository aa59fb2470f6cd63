//! Factorisations against their definitions.
