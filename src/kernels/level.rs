//! Which instructions a loop is compiled for: chosen once, when the program runs.
//!
//! A loop over a slice is vectorised by the compiler for the instructions of the function that it stands in. So each
//! kernel is compiled once per [`Level`], inside a function that enables the level's instructions, and
//! [`Level::run`] calls the right one. For this to work everything in the loop must be inlined: `#[inline(always)]`
//! on kernel bodies and closures.

use std::sync::OnceLock;

/// What [`Level::run`] compiles for every level. `FUSED` says whether `a·b + c` is one instruction there; without it,
/// [`f64::mul_add`] is a call of a slow library function.
pub trait Kernel {
    /// What it returns.
    type Output;
    /// The size in bytes of the vector registers that it is written for; 0 if it may run at any level. Other levels are
    /// not compiled, and must not be asked for.
    const REGISTERS: usize = 0;
    #[doc(hidden)]
    const WIDE: bool = matches!(Self::REGISTERS, 0 | 64);
    #[doc(hidden)]
    const HALF: bool = matches!(Self::REGISTERS, 0 | 32);
    #[doc(hidden)]
    const BASE: bool = matches!(Self::REGISTERS, 0 | 16);
    /// The loop; must be `#[inline(always)]`.
    fn run<const FUSED: bool>(self) -> Self::Output;
}

/// Instructions that this machine is known to have: a value is proof that they may be executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level(Isa);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Isa {
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// What the crate is compiled for: SSE2 on x86-64, NEON on aarch64, unless more was asked for.
    Baseline,
}

impl Default for Level {
    fn default() -> Self {
        Self::detect()
    }
}

impl Level {
    /// The best level of this machine.
    pub fn detect() -> Self {
        static BEST: OnceLock<Level> = OnceLock::new();
        *BEST.get_or_init(|| Self::available().next().unwrap_or(Self(Isa::Baseline)))
    }

    /// The levels of this machine, the best first.
    pub fn available() -> impl Iterator<Item = Self> {
        let mut levels = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            let fma = is_x86_feature_detected!("fma");
            let avx512 = is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512vl");
            if fma && avx512 {
                levels.push(Self(Isa::Avx512));
            }
            if fma && is_x86_feature_detected!("avx2") {
                levels.push(Self(Isa::Avx2));
            }
        }
        levels.push(Self(Isa::Baseline));
        levels.into_iter()
    }

    /// How many bytes a vector register holds.
    pub fn vector_bytes(self) -> usize {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => 64,
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => 32,
            Isa::Baseline => 16,
        }
    }

    /// Runs the one of three kernels that is made for this level's vector registers, of 64, 32 or 16 bytes. Unlike
    /// with [`run`](Self::run), each is compiled for that level alone.
    #[inline]
    #[allow(unsafe_code, reason = "the compiler cannot check which instructions a machine has")]
    #[cfg_attr(not(target_arch = "x86_64"), allow(unused_variables))]
    pub fn choose<A, B, C>(self, wide: A, half: B, narrow: C) -> A::Output
    where
        A: Kernel,
        B: Kernel<Output = A::Output>,
        C: Kernel<Output = A::Output>,
    {
        match self.0 {
            // SAFETY: `available` makes this value only where the function's features have been detected.
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => unsafe { avx512(wide) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => unsafe { avx2(half) },
            Isa::Baseline => self.run(narrow),
        }
    }

    /// Runs a kernel compiled for this level.
    #[inline]
    #[allow(unsafe_code, reason = "the compiler cannot check which instructions a machine has")]
    pub fn run<K: Kernel>(self, kernel: K) -> K::Output {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => {
                if K::WIDE {
                    // SAFETY: `available` makes this value only where the function's features have been detected.
                    return unsafe { avx512(kernel) };
                }
            }
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => {
                if K::HALF {
                    // SAFETY: as above.
                    return unsafe { avx2(kernel) };
                }
            }
            Isa::Baseline => {
                if K::BASE {
                    return kernel.run::<{ cfg!(any(target_feature = "fma", target_arch = "aarch64")) }>();
                }
            }
        }
        unreachable!("a kernel for registers of {} bytes at {self:?}", K::REGISTERS)
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,fma")]
fn avx512<K: Kernel>(kernel: K) -> K::Output {
    kernel.run::<true>()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn avx2<K: Kernel>(kernel: K) -> K::Output {
    kernel.run::<true>()
}
