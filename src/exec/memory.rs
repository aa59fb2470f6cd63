//! A place in the buffer for every value, for as long as it is needed.

/// Free stretches of one buffer, by offset; neighbours are merged.
#[derive(Default)]
pub(super) struct Pool {
    free: std::collections::BTreeMap<usize, usize>,
    by_size: std::collections::BTreeSet<(usize, usize)>,
    length: usize,
}

impl Pool {
    /// The smallest free stretch that fits, or new memory at the end.
    pub fn take(&mut self, size: usize) -> usize {
        if size == 0 {
            return 0;
        }
        if let Some(&(found, offset)) = self.by_size.range((size, 0)..).next() {
            self.remove(offset, found);
            if found > size {
                self.insert(offset + size, found - size);
            }
            return offset;
        }
        // A free stretch at the very end is grown.
        let start = match self.free.last_key_value() {
            Some((&offset, &last)) if offset + last == self.length => {
                self.remove(offset, last);
                offset
            }
            _ => self.length,
        };
        self.length = start + size;
        start
    }

    pub fn give_back(&mut self, mut offset: usize, mut size: usize) {
        if size == 0 {
            return;
        }
        if let Some((&before, &length)) = self.free.range(..offset).next_back()
            && before + length == offset
        {
            self.remove(before, length);
            (offset, size) = (before, length + size);
        }
        if let Some(&after) = self.free.get(&(offset + size)) {
            self.remove(offset + size, after);
            size += after;
        }
        self.insert(offset, size);
    }

    /// How long the buffer has to be.
    pub fn length(&self) -> usize {
        self.length
    }

    fn insert(&mut self, offset: usize, size: usize) {
        self.free.insert(offset, size);
        self.by_size.insert((size, offset));
    }

    fn remove(&mut self, offset: usize, size: usize) {
        self.free.remove(&offset);
        self.by_size.remove(&(size, offset));
    }
}

#[cfg(test)]
mod tests {
    use super::Pool;

    #[test]
    fn stretches_are_reused_and_merged() {
        let mut pool = Pool::default();
        let [a, b, c] = [10, 20, 30].map(|size| pool.take(size));
        assert_eq!((a, b, c, pool.length()), (0, 10, 30, 60));
        pool.give_back(b, 20);
        assert_eq!(pool.take(5), 10);
        pool.give_back(a, 10);
        pool.give_back(10, 5);
        assert_eq!(pool.take(30), 0);
        pool.give_back(c, 30);
        assert_eq!((pool.take(40), pool.length()), (30, 70));
    }
}
