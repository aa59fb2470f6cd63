//! One buffer for all values, and the instructions that read and write it.
//!
//! A plan says beforehand which bytes every instruction reads and writes. That is checked when the plan is made:
//! everything lies within its memory, nothing that is written overlaps what else the instruction touches, and the
//! blocks of a loop stay apart from each other. So a run only follows pointers, and several blocks may run at once.

use std::cell::RefCell;
use std::marker::PhantomData;

use smallvec::SmallVec;

use super::threads::Threads;
use crate::element::{DType, Element, Float};

/// A line of the cache.
#[repr(C, align(64))]
#[derive(Clone, Copy)]
struct Line([u8; LINE]);

/// Bytes in a line of the cache: every value begins at one.
pub(crate) const LINE: usize = 64;

/// The buffer that holds every value of a plan.
pub(crate) struct Arena {
    lines: Vec<Line>,
}

impl Arena {
    /// A buffer of at least `bytes` bytes, all zero.
    pub fn new(bytes: usize) -> Self {
        Self { lines: vec![Line([0; LINE]); bytes.div_ceil(LINE)] }
    }

    /// How many bytes it holds.
    pub fn bytes(&self) -> usize {
        self.lines.len() * LINE
    }

    /// `length` elements from byte `offset` on, which were written as elements of this type.
    #[allow(unsafe_code, reason = "bytes as elements")]
    #[inline]
    pub fn slice<T: Element>(&self, offset: usize, length: usize) -> &[T] {
        assert!(offset.is_multiple_of(size_of::<T>()) && offset + length * size_of::<T>() <= self.bytes());
        // SAFETY: in bounds and aligned, as asserted. Every byte is initialised; masks are only read where masks have
        // been written.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast::<u8>().add(offset).cast(), length) }
    }

    /// Writes one element.
    #[allow(unsafe_code, reason = "bytes as elements")]
    pub fn set<T: Element>(&mut self, offset: usize, value: T) {
        assert!(offset.is_multiple_of(size_of::<T>()) && offset + size_of::<T>() <= self.bytes());
        // SAFETY: in bounds and aligned, as asserted.
        unsafe { self.lines.as_mut_ptr().cast::<u8>().add(offset).cast::<T>().write(value) }
    }
}

/// What holds elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Home {
    /// The plan's buffer.
    Arena,
    /// A leaf, by its number.
    Leaf(u32),
    /// The working memory of a thread, in which nothing stays from block to block.
    Scratch,
}

/// Which elements an instruction touches at each block of its loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Span {
    /// Those of the block's rows.
    Full,
    /// One for each of the block's rows.
    Row,
    /// One for the block.
    Block,
    /// The same ones at every block.
    Whole(usize),
}

/// A place in memory: where it begins, and how it goes along with the blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    pub home: Home,
    /// In bytes.
    pub offset: usize,
    pub dtype: DType,
    pub span: Span,
}

/// What a loop runs over: rows and columns in C order, so many rows at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Domain {
    pub rows: usize,
    pub columns: usize,
    /// Rows in a block.
    pub step: usize,
}

impl Domain {
    /// A single block.
    pub const ONCE: Self = Self { rows: 1, columns: 1, step: 1 };

    /// How many blocks there are.
    pub fn blocks(self) -> usize {
        self.rows.div_ceil(self.step)
    }

    fn window(self, block: usize) -> Window {
        let first = block * self.step;
        Window { block, first, rows: self.step.min(self.rows - first), columns: self.columns }
    }

    /// How many elements a span has over all blocks, and at most in one.
    fn extent(self, span: Span) -> (usize, usize) {
        let step = self.step.min(self.rows);
        match span {
            Span::Full => (self.rows * self.columns, step * self.columns),
            Span::Row => (self.rows, step),
            Span::Block => (self.blocks(), 1),
            Span::Whole(length) => (length, length),
        }
    }
}

/// The rows of a block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    pub block: usize,
    /// The first row.
    pub first: usize,
    pub rows: usize,
    pub columns: usize,
}

impl Window {
    /// The first element and how many there are.
    #[inline(always)]
    fn of(self, span: Span) -> (usize, usize) {
        match span {
            Span::Full => (self.first * self.columns, self.rows * self.columns),
            Span::Row => (self.first, self.rows),
            Span::Block => (self.block, 1),
            Span::Whole(length) => (0, length),
        }
    }
}

/// A leaf as a plan knows it beforehand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LeafExtent {
    pub dtype: DType,
    /// How many elements there are.
    pub length: usize,
    /// Whether the plan may write to it.
    pub written: bool,
}

/// All the memory of a plan, as it is known beforehand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Extent {
    /// Bytes of the buffer.
    pub arena: usize,
    /// Bytes that a thread works in.
    pub scratch: usize,
    pub leaves: Vec<LeafExtent>,
}

/// What one instruction reads and writes.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    reads: SmallVec<[Slot; 3]>,
    writes: SmallVec<[Slot; 2]>,
}

impl Access {
    /// # Panics
    /// If a place is outside of its memory, or if what is written overlaps anything else: a mistake in the plan.
    fn checked(reads: &[Slot], writes: &[Slot], domain: Domain, memory: &Extent) -> Self {
        for slot in reads.iter().chain(writes) {
            let size = slot.dtype.size();
            let end = slot.offset + bytes(*slot, domain);
            let fits = match slot.home {
                Home::Arena => end <= memory.arena,
                Home::Scratch => end <= memory.scratch,
                Home::Leaf(leaf) => {
                    let leaf = memory.leaves[leaf as usize];
                    leaf.dtype == slot.dtype && end <= leaf.length * size
                }
            };
            assert!(fits && slot.offset.is_multiple_of(size), "{slot:?} is outside of its memory");
        }
        for (i, written) in writes.iter().enumerate() {
            if let Home::Leaf(leaf) = written.home {
                assert!(memory.leaves[leaf as usize].written, "{written:?} must not be written");
            }
            for other in reads.iter().chain(&writes[..i]) {
                assert!(!overlap(*written, *other, domain), "{written:?} overlaps {other:?}");
            }
        }
        Self { reads: reads.into(), writes: writes.into() }
    }
}

/// Bytes of a slot over all blocks; in working memory, which is used again, of one block.
fn bytes(slot: Slot, domain: Domain) -> usize {
    let (all, one) = domain.extent(slot.span);
    slot.dtype.size() * if slot.home == Home::Scratch { one } else { all }
}

fn overlap(a: Slot, b: Slot, domain: Domain) -> bool {
    let (m, n) = (bytes(a, domain), bytes(b, domain));
    a.home == b.home && m > 0 && n > 0 && a.offset < b.offset + n && b.offset < a.offset + m
}

/// What an instruction does with its operands.
pub(crate) trait Instruction: Sync {
    /// Does it.
    fn run(&self, at: Operands<'_>);
}

/// Instructions that run one after the other at each block.
pub(crate) struct Loop<I> {
    domain: Domain,
    code: Vec<(Access, I)>,
    scratch: usize,
}

impl<I: Instruction> Loop<I> {
    /// # Panics
    /// If an instruction touches what it must not: a mistake in the plan.
    pub fn new(domain: Domain, code: Vec<(Vec<Slot>, Vec<Slot>, I)>, memory: &Extent) -> Self {
        let code: Vec<(Access, I)> = code
            .into_iter()
            .map(|(reads, writes, act)| (Access::checked(&reads, &writes, domain, memory), act))
            .collect();
        let this = Self { domain, code, scratch: memory.scratch };
        this.check();
        this
    }

    /// What one block writes, another one must not touch.
    fn check(&self) {
        if self.domain.blocks() <= 1 {
            return;
        }
        let all = || self.code.iter().flat_map(|(access, _)| access.reads.iter().chain(&access.writes));
        let written = self.code.iter().flat_map(|(access, _)| &access.writes);
        for &slot in written.filter(|slot| slot.home != Home::Scratch) {
            assert!(!matches!(slot.span, Span::Whole(_)), "{slot:?} is written by every block");
            for &other in all().filter(|other| overlap(slot, **other, self.domain)) {
                let same = (slot.offset, slot.span) == (other.offset, other.span);
                assert!(same, "{slot:?} overlaps {other:?} of other blocks");
            }
        }
    }

    /// Runs all blocks.
    #[inline]
    pub fn run(&self, memory: &Memory<'_>, threads: Threads) {
        let blocks = self.domain.blocks();
        if threads == Threads::ONE || blocks < 2 {
            return self.run_blocks(memory, 0, blocks);
        }
        // Several parts for each thread, so that a thread which is held up does not hold up the others.
        let parts = blocks.min(8 * rayon::current_num_threads());
        threads.each(parts, |part| {
            self.run_blocks(memory, part * blocks / parts, (part + 1) * blocks / parts);
        });
    }

    #[inline]
    fn run_blocks(&self, memory: &Memory<'_>, from: usize, to: usize) {
        with_scratch(self.scratch, |scratch| {
            for block in from..to {
                let window = self.domain.window(block);
                for (access, act) in &self.code {
                    act.run(Operands { memory, scratch, access, window });
                }
            }
        });
    }
}

/// A single instruction.
pub(crate) struct Call(Access);

impl Call {
    /// # Panics
    /// As [`Loop::new`].
    pub fn new(reads: &[Slot], writes: &[Slot], memory: &Extent) -> Self {
        Self(Access::checked(reads, writes, Domain::ONCE, memory))
    }

    /// Its operands.
    #[inline]
    pub fn at<'a>(&'a self, memory: &'a Memory<'a>) -> Operands<'a> {
        Operands { memory, scratch: std::ptr::null_mut(), access: &self.0, window: Domain::ONCE.window(0) }
    }
}

/// The elements of a leaf in the order in which they lie in memory.
pub(crate) enum LeafMemory<'r> {
    /// Address and number of elements.
    Read(*const u8, usize, PhantomData<&'r [u8]>),
    /// The same, to be written.
    Write(*mut u8, usize, PhantomData<&'r mut [u8]>),
}

impl<'r> LeafMemory<'r> {
    /// To be read.
    #[inline]
    pub fn read<T: Element>(slice: &'r [T]) -> Self {
        Self::Read(slice.as_ptr().cast(), slice.len(), PhantomData)
    }

    /// To be written.
    #[inline]
    pub fn write<T: Element>(slice: &'r mut [T]) -> Self {
        Self::Write(slice.as_mut_ptr().cast(), slice.len(), PhantomData)
    }
}

/// All the memory of a run.
pub(crate) struct Memory<'r> {
    arena: *mut u8,
    leaves: SmallVec<[*mut u8; 32]>,
    borrowed: PhantomData<&'r mut [u8]>,
}

#[allow(unsafe_code, reason = "blocks run on several threads")]
// SAFETY: it is only reached through instructions, whose blocks were checked to stay apart.
unsafe impl Sync for Memory<'_> {}

impl<'r> Memory<'r> {
    /// # Panics
    /// If a leaf is not as the plan knows it.
    #[inline]
    pub fn new<'m: 'r>(
        arena: &'r mut Arena,
        leaves: impl Iterator<Item = LeafMemory<'m>>,
        expected: &Extent,
    ) -> Self {
        assert!(expected.arena <= arena.bytes());
        let mut known = expected.leaves.iter();
        let leaves = leaves.map(|leaf| {
            let known = known.next().expect("a plan knows every leaf");
            let (start, length) = match leaf {
                LeafMemory::Read(start, length, _) => {
                    assert!(!known.written, "a leaf that is written is borrowed so");
                    (start.cast_mut(), length)
                }
                LeafMemory::Write(start, length, _) => (start, length),
            };
            assert!(length >= known.length, "a leaf is as long as its plan says");
            start
        });
        Self { leaves: leaves.collect(), arena: arena.lines.as_mut_ptr().cast(), borrowed: PhantomData }
    }
}

/// The operands of an instruction at one block.
pub(crate) struct Operands<'a> {
    memory: &'a Memory<'a>,
    scratch: *mut u8,
    access: &'a Access,
    window: Window,
}

impl<'a> Operands<'a> {
    /// The rows of the block.
    #[inline(always)]
    pub fn window(&self) -> Window {
        self.window
    }

    #[allow(unsafe_code, reason = "addresses that were checked when the plan was made")]
    #[inline(always)]
    fn address<T: Element>(&self, slot: Slot) -> (*mut T, usize) {
        assert!(slot.dtype == T::DTYPE, "an operand is read as what it is");
        let (start, length) = self.window.of(slot.span);
        let start = start * size_of::<T>();
        let (base, offset) = match slot.home {
            Home::Arena => (self.memory.arena, slot.offset + start),
            Home::Leaf(leaf) => (self.memory.leaves[leaf as usize], slot.offset + start),
            Home::Scratch => (self.scratch, slot.offset),
        };
        // SAFETY: within its memory: `Access::checked`.
        (unsafe { base.add(offset) }.cast(), length)
    }

    /// Operand `k`.
    #[allow(unsafe_code, reason = "elements that were checked when the plan was made")]
    #[inline(always)]
    pub fn read<T: Element>(&self, k: usize) -> &'a [T] {
        let (start, length) = self.address::<T>(self.access.reads[k]);
        // SAFETY: in bounds, aligned and written before; nothing overlaps it that is written at the same time:
        // `Access::checked` for this instruction, `Loop::check` for other blocks.
        unsafe { std::slice::from_raw_parts(start, length) }
    }

    /// The result.
    #[allow(unsafe_code, reason = "elements that were checked when the plan was made")]
    #[inline(always)]
    pub fn write<T: Element>(self) -> &'a mut [T] {
        let (start, length) = self.address::<T>(self.access.writes[0]);
        // SAFETY: as for `read`; consumed, so there is one such slice at a time.
        unsafe { std::slice::from_raw_parts_mut(start, length) }
    }

    /// Sets the single element of result `k`.
    #[allow(unsafe_code, reason = "elements that were checked when the plan was made")]
    #[inline(always)]
    pub fn store<T: Element>(&self, k: usize, value: T) {
        let (start, length) = self.address::<T>(self.access.writes[k]);
        assert!(length == 1, "a number is a single element");
        // SAFETY: as for `write`; nothing that was read overlaps it: `Access::checked`.
        unsafe { start.write(value) }
    }

    /// Both results of an instruction that has two.
    #[allow(unsafe_code, reason = "elements that were checked when the plan was made")]
    #[inline(always)]
    pub fn write_two<T: Element, U: Element>(self) -> (&'a mut [T], &'a mut [U]) {
        let ((p, m), (q, n)) =
            (self.address::<T>(self.access.writes[0]), self.address::<U>(self.access.writes[1]));
        // SAFETY: as for `write`; the two do not overlap: `Access::checked`.
        unsafe { (std::slice::from_raw_parts_mut(p, m), std::slice::from_raw_parts_mut(q, n)) }
    }
}

/// Runs `body` with so many floats of this thread's working memory, whatever they are.
#[allow(unsafe_code, reason = "bytes as floats")]
#[inline]
pub(crate) fn with_registers<T: Float, R>(count: usize, body: impl FnOnce(&mut [T]) -> R) -> R {
    with_scratch(count * size_of::<T>(), |start| {
        // SAFETY: working memory is as long as asked for, aligned to a line, and any bytes are a float.
        body(unsafe { std::slice::from_raw_parts_mut(start.cast(), count) })
    })
}

/// Runs `body` with working memory of this thread, which is kept for the next time.
#[inline]
fn with_scratch<R>(bytes: usize, body: impl FnOnce(*mut u8) -> R) -> R {
    thread_local! {
        static SCRATCH: RefCell<Arena> = const { RefCell::new(Arena { lines: Vec::new() }) };
    }
    SCRATCH.with(|scratch| {
        let mut scratch = scratch.borrow_mut();
        if scratch.bytes() < bytes {
            *scratch = Arena::new(bytes);
        }
        body(scratch.lines.as_mut_ptr().cast())
    })
}
