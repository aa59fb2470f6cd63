//! The pictures of the book.

#[path = "../../examples/drawings/pictures.rs"]
mod drawn;

use std::path::Path;

#[test]
fn the_pictures_of_the_book_are_current() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/src/pictures");
    for (name, svg) in drawn::pictures().unwrap() {
        let found = std::fs::read_to_string(folder.join(name)).unwrap_or_default();
        assert!(found == svg, "{name} is stale: cargo run --example drawings -- --out docs/src/pictures");
    }
}
