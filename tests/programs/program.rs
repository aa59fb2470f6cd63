//! An example as a program.

use std::process::Command;

/// An example, which `cargo test` builds beside the tests.
pub fn program(name: &str) -> Command {
    let mut path = std::env::current_exe().unwrap();
    path.pop();
    path.pop();
    path.push("examples");
    path.push(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    assert!(
        path.exists(),
        "`cargo test` builds the example, `cargo test --test` does not: cargo build --examples"
    );
    Command::new(path)
}
