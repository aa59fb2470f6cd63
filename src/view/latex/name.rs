//! Names and numbers in LaTeX.

/// Greek letters: in LaTeX, and as a character.
const GREEK: &[(&str, char)] = &[
    ("alpha", 'α'),
    ("beta", 'β'),
    ("gamma", 'γ'),
    ("delta", 'δ'),
    ("epsilon", 'ε'),
    ("zeta", 'ζ'),
    ("eta", 'η'),
    ("theta", 'θ'),
    ("iota", 'ι'),
    ("kappa", 'κ'),
    ("lambda", 'λ'),
    ("mu", 'μ'),
    ("nu", 'ν'),
    ("xi", 'ξ'),
    ("pi", 'π'),
    ("rho", 'ρ'),
    ("sigma", 'σ'),
    ("tau", 'τ'),
    ("phi", 'φ'),
    ("chi", 'χ'),
    ("psi", 'ψ'),
    ("omega", 'ω'),
    ("Gamma", 'Γ'),
    ("Delta", 'Δ'),
    ("Theta", 'Θ'),
    ("Lambda", 'Λ'),
    ("Xi", 'Ξ'),
    ("Pi", 'Π'),
    ("Sigma", 'Σ'),
    ("Phi", 'Φ'),
    ("Psi", 'Ψ'),
    ("Omega", 'Ω'),
];

/// A name as it is meant: a word, with the digits at its end, or what stands behind its first underscore, as an index; with a
/// number in brackets as an exponent, `W[1]`; with a `d` in front of a single letter as a differential. What is not made so is
/// text.
pub(super) fn name(name: &str) -> String {
    parsed(name).unwrap_or_else(|| format!(r"\text{{{}}}", escaped(name)))
}

fn parsed(name: &str) -> Option<String> {
    let (base, layer) = match name.strip_suffix(']').and_then(|name| name.split_once('[')) {
        Some((base, layer)) => (base, format!("^{{[{}]}}", index(layer)?)),
        None => (name, String::new()),
    };
    let (base, primes) = base.split_at(base.trim_end_matches('\'').len());
    let (stem, below) = match base.split_once('_') {
        Some((stem, below)) => (stem, Some(below)),
        None => {
            let (stem, digits) = base.split_at(base.trim_end_matches(|c: char| c.is_ascii_digit()).len());
            (stem, Some(digits).filter(|digits| !digits.is_empty()))
        }
    };
    let below = match below {
        Some(below) => format!("_{{{}}}", index(below)?),
        None => String::new(),
    };
    Some(format!("{}{primes}{below}{layer}", word(stem)?))
}

/// An index: numbers and words with commas or underscores between.
fn index(text: &str) -> Option<String> {
    let part = |part: &str| {
        if part.chars().all(|c| c.is_ascii_digit()) && !part.is_empty() {
            return Some(part.to_owned());
        }
        let digits = part.trim_end_matches(|c: char| c.is_ascii_digit()).len();
        Some(format!("{}{}", word(&part[..digits])?, &part[digits..]))
    };
    let parts: Option<Vec<String>> = text.split(['_', ',']).map(part).collect();
    Some(parts?.join(","))
}

/// One letter, Greek ones by name, or an upright word.
fn word(word: &str) -> Option<String> {
    let single = |text: &str| {
        let greek = GREEK.iter().find(|(name, letter)| *name == text || text.chars().eq([*letter]));
        match greek {
            Some((name, _)) => Some(format!(r"\{name}")),
            None => {
                (text.len() == 1 && text.chars().all(|c| c.is_ascii_alphabetic())).then(|| text.to_owned())
            }
        }
    };
    let differential = || Some(format!(r"\mathrm{{d}}{}", single(word.strip_prefix('d')?)?));
    let upright = || {
        let is_word = !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric());
        is_word.then(|| format!(r"\mathrm{{{word}}}"))
    };
    single(word).or_else(differential).or_else(upright)
}

/// A number, if it is one.
pub(super) fn number(text: &str) -> Option<String> {
    let value: f64 = text.parse().ok()?;
    if value.is_nan() {
        return Some(r"\mathrm{NaN}".to_owned());
    }
    if value.is_infinite() {
        return Some(if value < 0.0 { r"-\infty" } else { r"\infty" }.to_owned());
    }
    // Digits of their own where there are many zeros.
    let short = format!("{value:e}");
    let (digits, exponent) = short.split_once('e')?;
    let is_long = text.len() > 7 && text.len() > short.len() + 2;
    Some(match digits {
        _ if !is_long => text.to_owned(),
        "1" => format!("10^{{{exponent}}}"),
        "-1" => format!("-10^{{{exponent}}}"),
        _ => format!(r"{digits} \cdot 10^{{{exponent}}}"),
    })
}

/// As text: what LaTeX takes for a sign of its own is escaped.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '{' | '}' | '$' | '&' | '#' | '%' | '_' => escaped.extend(['\\', c]),
            '\\' => escaped.push_str(r"\textbackslash{}"),
            '^' => escaped.push_str(r"\textasciicircum{}"),
            '~' => escaped.push_str(r"\textasciitilde{}"),
            '<' => escaped.push_str(r"\textless{}"),
            '>' => escaped.push_str(r"\textgreater{}"),
            c if c.is_control() => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}
