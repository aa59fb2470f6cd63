//! A reader of the SVG that drawings are: it finds elements and what is written in them, and refuses what is not well formed.

/// An element without others in it.
#[derive(Debug)]
pub struct Element {
    pub name: String,
    attributes: Vec<(String, String)>,
    /// What is written in it, with entities in the place of some characters.
    pub text: String,
}

impl Element {
    pub fn number(&self, attribute: &str) -> f64 {
        self.text_of(attribute).unwrap_or_else(|| panic!("{attribute} of {self:?}")).parse().unwrap()
    }

    pub fn text_of(&self, attribute: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(name, _)| name == attribute)?;
        Some(&found.1)
    }
}

/// All elements in the order of their beginnings.
pub fn elements(svg: &str) -> Vec<Element> {
    let mut found: Vec<Element> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    let mut pieces = svg.split('<');
    assert_eq!(pieces.next(), Some(""), "something before the first element");
    for piece in pieces {
        let (tag, text) = piece.split_once('>').unwrap_or_else(|| panic!("no end: {piece}"));
        check_text(text);
        if let Some(name) = tag.strip_prefix('/') {
            let last = open.pop().unwrap_or_else(|| panic!("too many ends: {name}"));
            assert_eq!(found[last].name, name);
            continue;
        }
        let (tag, is_closed) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag, true));
        let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        let text = if is_closed { "" } else { text };
        found.push(Element { name: name.to_owned(), attributes: parsed(attributes), text: text.to_owned() });
        if !is_closed {
            open.push(found.len() - 1);
        }
    }
    assert!(open.is_empty(), "not ended: {:?}", found[open[0]]);
    found
}

fn parsed(attributes: &str) -> Vec<(String, String)> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    let mut rest = attributes.trim();
    while !rest.is_empty() {
        let (name, value) = rest.split_once("=\"").unwrap_or_else(|| panic!("no value: {rest}"));
        let (value, behind) = value.split_once('"').unwrap_or_else(|| panic!("no quotation mark: {rest}"));
        assert!(pairs.iter().all(|pair| pair.0 != name), "{name} twice");
        check_text(value);
        pairs.push((name.to_owned(), value.to_owned()));
        rest = behind.trim_start();
    }
    pairs
}

/// An ampersand begins an entity.
fn check_text(text: &str) {
    for entity in text.split('&').skip(1) {
        assert!(["amp;", "lt;", "gt;", "quot;"].iter().any(|known| entity.starts_with(known)), "&{entity}");
    }
    assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
}

pub fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}
