//! Whether LaTeX is well formed.

/// Whether what is opened is closed, in order.
pub fn is_balanced(latex: &str) -> bool {
    let mut open = Vec::new();
    let mut rest = latex;
    while let Some(c) = rest.chars().next() {
        let escaped = ["\\{", "\\}", "\\\\"].iter().find(|sign| rest.starts_with(**sign));
        if let Some(sign) = escaped {
            rest = &rest[sign.len()..];
            continue;
        }
        let opens = [("{", "{"), ("\\left", "\\left"), ("\\begin", "\\begin")]
            .iter()
            .find(|sign| rest.starts_with(sign.0) && !rest.starts_with("\\leftarrow"));
        let closes = [("}", "{"), ("\\right", "\\left"), ("\\end", "\\begin")]
            .iter()
            .find(|sign| rest.starts_with(sign.0));
        if let Some((_, sign)) = opens {
            open.push(*sign);
        } else if let Some((_, sign)) = closes
            && open.pop() != Some(*sign)
        {
            return false;
        }
        rest = &rest[c.len_utf8()..];
    }
    open.is_empty()
}
