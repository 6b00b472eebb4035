//! A slab whose keys carry a generation, so that a key outlives what it named without ever naming something else. Used for
//! reply slots, residents and tickets; nothing in it is about any of them.

/// Number and generation of a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) index: u32,
    pub(crate) generation: u32,
}

impl Key {
    pub(crate) const fn to_u64(self) -> u64 {
        (self.generation as u64) << 32 | self.index as u64
    }
    pub(crate) const fn from_u64(bits: u64) -> Self {
        Self { index: bits as u32, generation: (bits >> 32) as u32 }
    }
}

#[derive(Debug)]
struct Place<T> {
    generation: u32,
    value: Option<T>,
}

/// The slab.
#[derive(Debug)]
pub(crate) struct Slots<T> {
    places: Vec<Place<T>>,
    free: Vec<u32>,
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self { places: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slots<T> {
    /// Puts a value in; its key is told to the maker.
    pub(crate) fn insert_with(&mut self, make: impl FnOnce(Key) -> T) -> Key {
        let index = self.free.pop().unwrap_or_else(|| {
            self.places.push(Place { generation: 0, value: None });
            u32::try_from(self.places.len() - 1).unwrap_or(u32::MAX)
        });
        let place = &mut self.places[index as usize];
        let key = Key { index, generation: place.generation };
        place.value = Some(make(key));
        key
    }
    pub(crate) fn get(&self, key: Key) -> Option<&T> {
        self.places.get(key.index as usize).filter(|place| place.generation == key.generation)?.value.as_ref()
    }
    /// Takes a value out; its key names nothing from now on.
    pub(crate) fn remove(&mut self, key: Key) -> Option<T> {
        let place = self.places.get_mut(key.index as usize).filter(|place| place.generation == key.generation)?;
        let value = place.value.take()?;
        place.generation = place.generation.wrapping_add(1);
        self.free.push(key.index);
        Some(value)
    }
    pub(crate) fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }
    /// Places in use and free: what a cursor runs over.
    pub(crate) fn span(&self) -> usize {
        self.places.len()
    }
    /// What stands at a place of the span.
    pub(crate) fn at(&self, index: usize) -> Option<&T> {
        self.places.get(index)?.value.as_ref()
    }
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.places.iter().filter_map(|place| place.value.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_never_names_a_later_owner_of_its_place() {
        let mut slots = Slots::default();
        let first = slots.insert_with(|_| "first");
        assert_eq!(slots.remove(first), Some("first"));
        let second = slots.insert_with(|_| "second");
        assert_eq!((second.index, slots.get(first)), (first.index, None));
        assert_eq!(slots.remove(first), None, "and cannot take its value away");
        assert_eq!(slots.get(second), Some(&"second"));
        assert_eq!((slots.len(), slots.span()), (1, 1));
    }

    #[test]
    fn a_key_travels_as_a_number() {
        let key = Key { index: 7, generation: u32::MAX };
        assert_eq!(Key::from_u64(key.to_u64()), key);
    }
}
