//! Chance from a seed: the same numbers on every machine and in every version.
// Why not a generator of a crate: theirs may change with a version, and a restart must replay the same life.

/// SplitMix64.
#[derive(Clone)]
pub struct Dice(u64);

impl Dice {
    /// A stream of its own for each (seed, number).
    pub fn new(seed: u64, number: u64) -> Dice {
        let mut dice = Dice(seed ^ number.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(17));
        dice.next();
        dice
    }
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
    /// 0 to `n` - 1; 0 where `n` is 0.
    pub fn below(&mut self, n: usize) -> usize {
        if n == 0 { 0 } else { usize::try_from(self.next() % n as u64).unwrap_or(0) }
    }
    /// `low` to `high`, both included.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        low + i64::try_from(self.below(usize::try_from(high - low + 1).unwrap_or(1))).unwrap_or(0)
    }
    /// True in `n` of 1,000.
    pub fn permille(&mut self, n: usize) -> bool {
        self.below(1_000) < n
    }
    pub fn one_of<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
    /// One that is not `than`.
    pub fn other<T: Copy + PartialEq>(&mut self, of: &[T], than: T) -> T {
        let at = self.below(of.len());
        of.iter().copied().cycle().skip(at).take(of.len()).find(|one| *one != than).unwrap_or(than)
    }
    /// Early ones more often than late ones: common names are common.
    pub fn common<T: Copy>(&mut self, of: &[T]) -> T {
        let reach = 1 + self.below(of.len());
        of[self.below(reach)]
    }
}
