//! A small generator of our own: the same seed gives the same plant on every machine and in every release,
//! which no library promises of its generators.

/// SplitMix64: one word of state, good enough for weather and noise, never for secrets.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// Starts the stream `name` of a seed, so that adding one stream does not shift another.
    pub fn new(seed: u64, name: &str) -> Random {
        // FNV-1a over the name, folded into the seed.
        let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ hash)
    }

    pub fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    /// Uniform in [0, 1).
    pub fn unit(&mut self) -> f64 {
        (self.word() >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// Uniform in 0..n.
    pub fn below(&mut self, n: usize) -> usize {
        (self.unit() * n as f64) as usize
    }

    /// Standard normal, as the sum of twelve uniforms less six: no logarithm, so the same bits everywhere.
    pub fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }
}

/// Noise that forgets: an Ornstein-Uhlenbeck process of unit variance, exact for any step.
#[derive(Clone, Debug)]
pub struct Drift {
    value: f64,
    memory_s: f64,
    random: Random,
}

impl Drift {
    pub fn new(seed: u64, name: &str, memory_s: f64) -> Drift {
        let mut random = Random::new(seed, name);
        Drift { value: random.normal(), memory_s, random }
    }

    pub fn step(&mut self, seconds: f64) -> f64 {
        let kept = (-seconds / self.memory_s).exp();
        self.value = self.value * kept + (1.0 - kept * kept).sqrt() * self.random.normal();
        self.value
    }
}
