//! Layouts of random graphs: nothing overlaps, and every edge leads from its item to its item.

use super::{Item, Layout, Link, Point};

/// Numbers that look random, the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % end
    }
}

fn random(count: usize, numbers: &mut Numbers) -> (Vec<Item>, Vec<Link>) {
    let mut item = || Item {
        depth: 20.0 + numbers.below(80) as f64,
        breadth: 20.0 + numbers.below(200) as f64,
        tail: 10.0 + numbers.below(30) as f64,
    };
    let items: Vec<Item> = (0..count).map(|_| item()).collect();
    let mut links = Vec::new();
    for to in 1..count {
        let reach = if numbers.below(5) == 0 { to } else { to.min(6) };
        for _ in 0..numbers.below(4) {
            let from = to - 1 - numbers.below(reach);
            if links.iter().all(|link: &Link| (link.from, link.to) != (from, to)) {
                links.push(Link { from, to });
            }
        }
    }
    (items, links)
}

/// Whether two intervals have more than a border in common.
fn overlap(a: (f64, f64), b: (f64, f64)) -> bool {
    a.0 + 1e-6 < b.1 && b.0 + 1e-6 < a.1
}

fn across(item: &Item, at: Point) -> (f64, f64) {
    (at.breadth - item.breadth / 2.0, at.breadth + item.breadth / 2.0)
}

fn check(items: &[Item], links: &[Link]) -> Layout {
    let layout = Layout::new(items, links);
    let size = layout.size;
    for (i, (a, &at)) in items.iter().zip(&layout.items).enumerate() {
        let (along, wide) = ((at.depth, at.depth + a.depth), across(a, at));
        assert!(along.0 >= 0.0 && along.1 <= size.depth && wide.0 >= -1e-6 && wide.1 <= size.breadth + 1e-6);
        for (b, &other) in items.iter().zip(&layout.items).take(i) {
            let both =
                overlap(along, (other.depth, other.depth + b.depth)) && overlap(wide, across(b, other));
            assert!(!both, "{at:?} and {other:?}");
        }
    }
    for link in links {
        assert!(layout.items[link.from].depth < layout.items[link.to].depth);
        follow(items, &layout, link);
    }
    layout
}

/// Goes along the strokes of an edge's item to its end.
fn follow(items: &[Item], layout: &Layout, link: &Link) {
    let strokes: Vec<_> = layout.strokes.iter().filter(|stroke| stroke.item == link.from).collect();
    let start = layout.items[link.from];
    let mut open = vec![Point { depth: start.depth + items[link.from].depth, ..start }];
    let mut seen = vec![false; strokes.len()];
    let mut ends = Vec::new();
    while let Some(at) = open.pop() {
        for (stroke, seen) in strokes.iter().zip(&mut seen).filter(|(stroke, _)| stroke.from == at) {
            if !std::mem::replace(seen, true) {
                open.push(stroke.to);
                ends.extend(stroke.target.map(|target| (target, stroke.to)));
            }
        }
    }
    assert!(seen.iter().all(|seen| *seen), "a stroke hangs in the air");
    let (_, end) = ends.into_iter().find(|end| end.0 == link.to).expect("the edge reaches its item");
    let (item, at) = (&items[link.to], layout.items[link.to]);
    assert_eq!(end.depth, at.depth);
    assert!((end.breadth - at.breadth).abs() < item.breadth / 2.0);
}

#[test]
fn random_graphs() {
    let mut numbers = Numbers(1);
    for count in (1..40).chain([100, 200]) {
        let (items, links) = random(count, &mut numbers);
        check(&items, &links);
    }
}

#[test]
fn nothing_and_alone() {
    let layout = Layout::new(&[], &[]);
    assert_eq!(layout.size, Point { depth: 0.0, breadth: 0.0 });
    let alone = Item { depth: 30.0, breadth: 20.0, tail: 0.0 };
    assert_eq!(check(&[alone], &[]).size, Point { depth: 30.0, breadth: 20.0 });
}

#[test]
fn a_chain_is_straight_and_an_edge_passes_beside_it() {
    let items: Vec<Item> = (0..6).map(|_| Item { depth: 30.0, breadth: 20.0, tail: 5.0 }).collect();
    let mut links: Vec<Link> = (1..6).map(|to| Link { from: to - 1, to }).collect();
    let straight = check(&items, &links);
    assert!(straight.items.iter().all(|item| item.breadth == straight.items[0].breadth));
    links.insert(4, Link { from: 0, to: 5 });
    let layout = check(&items, &links);
    let passes =
        layout.strokes.iter().filter(|stroke| stroke.item == 0 && stroke.from.breadth == stroke.to.breadth);
    let longest = passes.map(|stroke| stroke.to.depth - stroke.from.depth).fold(0.0, f64::max);
    assert!(longest > 30.0, "{longest}");
}

#[test]
fn very_long_edges_need_no_room() {
    let count = 2000;
    let items: Vec<Item> = (0..2 * count).map(|_| Item { depth: 30.0, breadth: 20.0, tail: 5.0 }).collect();
    let chain = (1..2 * count).map(|to| Link { from: to - 1, to });
    // As in a backward pass, which reads the values of the forward pass from the last to the first.
    let back =
        (0..count).map(|from| Link { from, to: 2 * count - 1 - from }).filter(|link| link.to > link.from + 1);
    let mut links: Vec<Link> = chain.chain(back).collect();
    links.sort_by_key(|link| link.to);
    let layout = Layout::new(&items, &links);
    assert!(layout.size.breadth < 2000.0, "{:?}", layout.size);
    assert!(layout.strokes.len() < 20 * items.len());
    assert!(layout.strokes.iter().filter(|stroke| stroke.skips).count() > count / 2);
}
