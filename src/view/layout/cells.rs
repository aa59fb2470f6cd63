//! What stands in the layers: items, and edges that pass.

use hashbrown::HashMap;

use super::{Item, Link};

/// Where all edges together pass more layers than there is [`ROOM`], one that passes more than so many is given no places.
const FAR: usize = 24;
const ROOM: usize = 5000;

/// Half the breadth of an edge that passes.
const PASS: f64 = 3.0;

/// The distance between ports of an item, at most.
const PORTS: f64 = 12.0;

/// What stands in a place of a layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Content {
    Item(usize),
    /// The edges from an item to others behind this layer.
    Pass(usize),
}

/// The places of all layers. Those of the items come first, under the items' numbers.
pub(super) struct Cells {
    pub content: Vec<Content>,
    pub layer: Vec<usize>,
    /// Half of the breadth.
    pub half: Vec<f64>,
    /// From where edges come, all from the layer before, and where on this cell they end, from the middle.
    pub operands: Vec<Vec<(usize, f64)>>,
    /// Where edges go to, all in the next layer, and where on that cell they end.
    pub users: Vec<Vec<(usize, f64)>>,
    /// The cells of each layer in order.
    pub layers: Vec<Vec<usize>>,
    /// Edges that are too long to have cells, and where on their last item they end.
    pub skipping: Vec<(usize, f64)>,
}

impl Cells {
    pub fn new(items: &[Item], links: &[Link], layers: &[usize]) -> Self {
        let mut cells = Self {
            content: (0..items.len()).map(Content::Item).collect(),
            layer: layers.to_vec(),
            half: items.iter().map(|item| item.breadth / 2.0).collect(),
            operands: vec![Vec::new(); items.len()],
            users: vec![Vec::new(); items.len()],
            layers: Vec::new(),
            skipping: Vec::new(),
        };
        let mut counts = vec![0; items.len()];
        let far = far(links, layers);
        let is_far = |link: &Link| layers[link.to] - layers[link.from] > far;
        links.iter().filter(|link| !is_far(link)).for_each(|link| counts[link.to] += 1);
        let mut seen = vec![0; items.len()];
        let mut passes: HashMap<(usize, usize), usize> = HashMap::new();
        for (k, link) in links.iter().enumerate() {
            let Link { from, to } = *link;
            if is_far(link) {
                // At the side, where it is in nobody's way.
                cells.skipping.push((k, 0.4 * items[to].breadth));
                continue;
            }
            seen[to] += 1;
            let step = (items[to].breadth / (counts[to] + 1) as f64).min(PORTS);
            let port = step * (seen[to] as f64 - (counts[to] + 1) as f64 / 2.0);
            let mut cell = from;
            for layer in layers[from] + 1..layers[to] {
                let next = passes.entry((from, layer)).or_insert_with(|| {
                    let next = cells.push(Content::Pass(from), layer);
                    cells.join(cell, next, 0.0);
                    next
                });
                cell = *next;
            }
            cells.join(cell, to, port);
        }
        cells.layers = vec![Vec::new(); layers.iter().max().map_or(0, |last| last + 1)];
        for cell in cells.by_depth_first_search() {
            cells.layers[cells.layer[cell]].push(cell);
        }
        cells
    }

    fn push(&mut self, content: Content, layer: usize) -> usize {
        self.content.push(content);
        self.layer.push(layer);
        self.half.push(PASS);
        self.operands.push(Vec::new());
        self.users.push(Vec::new());
        self.content.len() - 1
    }

    fn join(&mut self, from: usize, to: usize, port: f64) {
        self.operands[to].push((from, port));
        self.users[from].push((to, port));
    }

    pub fn is_pass(&self, cell: usize) -> bool {
        matches!(self.content[cell], Content::Pass(_))
    }

    /// All cells, operands in order before their users, the whole of one operand before the next: a tree gets an order
    /// without crossings.
    fn by_depth_first_search(&self) -> Vec<usize> {
        let mut found = Vec::with_capacity(self.content.len());
        let mut seen = vec![false; self.content.len()];
        let mut open: Vec<(usize, usize)> = Vec::new();
        for root in (0..self.content.len()).filter(|&cell| self.users[cell].is_empty()) {
            open.push((root, 0));
            seen[root] = true;
            while let Some((cell, next)) = open.last_mut() {
                match self.operands[*cell].get(*next) {
                    Some(&(operand, _)) => {
                        *next += 1;
                        if !std::mem::replace(&mut seen[operand], true) {
                            open.push((operand, 0));
                        }
                    }
                    None => {
                        found.push(*cell);
                        open.pop();
                    }
                }
            }
        }
        found
    }
}

/// How many layers an edge may lead over and have a place in each.
fn far(links: &[Link], layers: &[usize]) -> usize {
    let mut longest = vec![0; layers.len()];
    for link in links {
        longest[link.from] = longest[link.from].max(layers[link.to] - layers[link.from]);
    }
    if longest.iter().sum::<usize>() <= ROOM { usize::MAX } else { FAR }
}
