//! Sets of key digests that stay within a bound of memory: as many passes over the keys as it
//! takes, each with the set of a share of them.
//!
//! Knows no keys but their digests, and nothing of NULL: what SQL leaves alone is the caller's.

/// A pass's set holds 16 bytes for each slot and at most this many slots: 64 MiB.
const SLOTS_MAX: usize = 64 * 1024 * 1024 / size_of::<u128>();
/// What a pass is planned for. Less than three quarters of the slots, from which on a set grows:
/// the shares of uniform digests differ by some thousands.
const KEYS_PER_PASS: u64 = 3_000_000;
/// Enough for twelve billion keys: the number is an estimate of a server, and each pass reads them
/// all.
const PASSES_MAX: u64 = 4096;

/// The passes that a number of keys needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyPasses {
    keys: u64,
    passes: u64,
}

impl KeyPasses {
    /// For at most `keys` different keys. Where more arrive, the sets are as right and grow
    /// beyond their bound.
    pub fn for_keys(keys: u64) -> Self {
        let passes = keys.div_ceil(KEYS_PER_PASS).clamp(1, PASSES_MAX);
        Self { keys, passes }
    }

    /// The empty set of each pass, made when its turn comes.
    pub fn sets(self) -> impl Iterator<Item = KeySet> {
        (0..self.passes).map(move |pass| KeySet::new(pass, self))
    }
}

/// The digests of one pass.
#[derive(Clone, Debug)]
pub struct KeySet {
    pass: u64,
    passes: u64,
    /// Open addressing with linear probing; 0 is an empty slot.
    slots: Vec<u128>,
    held: usize,
    holds_zero: bool,
}

/// Whether a set holds a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It does.
    Held,
    /// It does not.
    Missing,
    /// The key is not of this pass, and the set says nothing of it.
    OtherPass,
}

impl KeySet {
    fn new(pass: u64, of: KeyPasses) -> Self {
        let expected = usize::try_from(of.keys.div_ceil(of.passes)).unwrap_or(usize::MAX);
        let slots = expected.saturating_mul(2).clamp(64, SLOTS_MAX);
        Self {
            pass,
            passes: of.passes,
            slots: vec![0; slots],
            held: 0,
            holds_zero: false,
        }
    }

    /// Whether the set holds a digest.
    pub fn find(&self, digest: u128) -> Presence {
        if share(high(digest), self.passes) != self.pass {
            return Presence::OtherPass;
        }
        let held = match digest {
            0 => self.holds_zero,
            digest => self.slots[self.slot(digest)] == digest,
        };
        if held {
            Presence::Held
        } else {
            Presence::Missing
        }
    }

    /// Takes a digest in, where it is of this pass; returns what [`KeySet::find`] said before.
    pub fn insert(&mut self, digest: u128) -> Presence {
        let before = self.find(digest);
        if before == Presence::Missing {
            match digest {
                0 => self.holds_zero = true,
                digest => self.put(digest),
            }
        }
        before
    }

    fn put(&mut self, digest: u128) {
        if (self.held + 1) * 4 > self.slots.len() * 3 {
            let larger = vec![0; self.slots.len() * 2];
            let smaller = std::mem::replace(&mut self.slots, larger);
            for digest in smaller.into_iter().filter(|digest| *digest != 0) {
                let slot = self.slot(digest);
                self.slots[slot] = digest;
            }
        }
        let slot = self.slot(digest);
        self.slots[slot] = digest;
        self.held += 1;
    }

    /// Where the digest is, or the empty slot where it belongs; there is always an empty one.
    fn slot(&self, digest: u128) -> usize {
        // A number below `slots.len()`, which is a usize.
        let mut slot = share(low(digest), self.slots.len() as u64) as usize;
        while self.slots[slot] != 0 && self.slots[slot] != digest {
            slot += 1;
            if slot == self.slots.len() {
                slot = 0;
            }
        }
        slot
    }
}

/// Pass and slot come from different halves, so that the keys of a pass spread over all slots.
fn high(digest: u128) -> u64 {
    (digest >> 64) as u64
}

fn low(digest: u128) -> u64 {
    digest as u64
}

/// Uniform numbers to a number below `of`.
fn share(number: u64, of: u64) -> u64 {
    ((u128::from(number) * u128::from(of)) >> 64) as u64
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    /// Different numbers that are spread evenly, as digests are: multiples of an odd number
    /// that is 2^128 divided by the golden ratio.
    fn digests(count: u64) -> impl Iterator<Item = u128> {
        const STEP: u128 = 0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835;
        (1..=u128::from(count)).map(|number| STEP.wrapping_mul(number))
    }

    /// How many of the keys were new, known, and of no pass at all, over all passes.
    fn count(passes: KeyPasses, keys: &[u128]) -> (usize, usize, usize) {
        let (mut new, mut known, mut taken) = (0, 0, 0);
        for mut set in passes.sets() {
            for key in keys {
                match set.insert(*key) {
                    Presence::Missing => new += 1,
                    Presence::Held => known += 1,
                    Presence::OtherPass => continue,
                }
                taken += 1;
            }
        }
        (new, known, keys.len() - taken)
    }

    #[test]
    fn every_key_is_of_exactly_one_pass() {
        let mut keys: Vec<u128> = digests(10_000).chain([0, 1, u128::MAX]).collect();
        keys.extend_from_within(..500);
        for passes in [1, 2, 7, 1_000] {
            let passes = KeyPasses {
                keys: 10_003,
                passes,
            };
            assert_eq!(count(passes, &keys), (10_003, 500, 0));
        }
    }

    #[test]
    fn more_keys_than_announced_are_held_as_well() {
        let keys: Vec<u128> = digests(5_000).collect();
        let mut set = KeyPasses::for_keys(1).sets().next().unwrap();
        keys.iter().for_each(|key| {
            assert_eq!(set.insert(*key), Presence::Missing);
        });
        assert!(keys.iter().all(|key| set.find(*key) == Presence::Held));
        assert_eq!(set.find(0), Presence::Missing);
        assert_eq!(set.insert(0), Presence::Missing);
        assert_eq!(set.find(0), Presence::Held);
    }

    #[test]
    fn an_absurd_estimate_costs_a_bounded_number_of_passes() {
        assert_eq!(
            KeyPasses::for_keys(u64::MAX).sets().count() as u64,
            PASSES_MAX
        );
    }

    #[test]
    fn a_full_pass_stays_within_its_bound() {
        let passes = KeyPasses::for_keys(2 * KEYS_PER_PASS);
        assert_eq!(passes.sets().count(), 2);
        let mut set = passes.sets().next().unwrap();
        digests(2 * KEYS_PER_PASS).for_each(|key| {
            set.insert(key);
        });
        assert!(set.held as u64 > KEYS_PER_PASS - 20_000, "{}", set.held);
        assert_eq!(set.slots.len(), SLOTS_MAX);
        assert_eq!(set.slots.capacity(), SLOTS_MAX);
    }

    proptest! {
        #[test]
        fn it_is_a_set(keys in proptest::collection::vec(0u128..40, 0..200)) {
            let mut set = KeyPasses::for_keys(0).sets().next().unwrap();
            let mut model = HashSet::new();
            for key in keys {
                let before = set.insert(key) == Presence::Held;
                prop_assert_eq!(!model.insert(key), before);
            }
            for key in 0..40 {
                prop_assert_eq!(set.find(key) == Presence::Held, model.contains(&key));
            }
        }
    }
}
