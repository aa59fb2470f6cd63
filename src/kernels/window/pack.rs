//! Numbers side by side in one register.
//!
//! The compiler vectorises a loop over a slice, but not reliably a block of sums that has to stay in registers. So
//! where the instructions are known, the few that a product takes are named.

use super::transpose::Turn;

/// A float with its packs.
pub(crate) trait Scalar:
    Copy
    + Default
    + PartialOrd
    + Send
    + Sync
    + std::ops::Add<Output = Self>
    + std::ops::Mul<Output = Self>
    + std::ops::Div<Output = Self>
    + Turn
    + 'static
{
    /// A register of 64 bytes: for levels that have them, and so have the next two.
    type Wide: Pack<Self>;
    /// A register of 32 bytes.
    type Half: Pack<Self>;
    /// 16 bytes.
    type Quarter: Pack<Self>;
    /// How many numbers 64 bytes hold.
    const LANES: usize;
    /// `-∞`.
    const LOWEST: Self;
    /// Not a number.
    const NAN: Self;
    /// A whole number.
    fn count(n: usize) -> Self;
}

/// Numbers side by side. What it does is only to be called where the machine is known to have such registers.
pub(crate) trait Pack<T>: Copy {
    /// How many.
    const LANES: usize;
    fn zero() -> Self;
    /// The first numbers of a slice.
    fn load(from: &[T]) -> Self;
    fn store(self, to: &mut [T]);
    /// `self + x · b`.
    fn add_product<const FUSED: bool>(self, x: T, b: Self) -> Self;
    /// `self + b`.
    fn plus(self, b: Self) -> Self;
}

macro_rules! scalar {
    ($t:ident, $wide:ty, $half:ty, $quarter:ty) => {
        impl Scalar for $t {
            #[cfg(target_arch = "x86_64")]
            type Wide = $wide;
            #[cfg(target_arch = "x86_64")]
            type Half = $half;
            #[cfg(not(target_arch = "x86_64"))]
            type Wide = $quarter;
            #[cfg(not(target_arch = "x86_64"))]
            type Half = $quarter;
            type Quarter = $quarter;
            const LANES: usize = 64 / size_of::<$t>();
            const LOWEST: Self = $t::NEG_INFINITY;
            const NAN: Self = $t::NAN;
            fn count(n: usize) -> Self {
                n as $t
            }
        }

        impl Pack<$t> for $quarter {
            const LANES: usize = 16 / size_of::<$t>();
            #[inline(always)]
            fn zero() -> Self {
                Self::default()
            }
            #[inline(always)]
            fn load(from: &[$t]) -> Self {
                std::array::from_fn(|i| from[i])
            }
            #[inline(always)]
            fn store(self, to: &mut [$t]) {
                to[..Self::LANES].copy_from_slice(&self);
            }
            #[inline(always)]
            fn add_product<const FUSED: bool>(self, x: $t, b: Self) -> Self {
                std::array::from_fn(|i| if FUSED { x.mul_add(b[i], self[i]) } else { self[i] + x * b[i] })
            }
            #[inline(always)]
            fn plus(self, b: Self) -> Self {
                std::array::from_fn(|i| self[i] + b[i])
            }
        }
    };
}
scalar!(f32, x86::__m512, x86::__m256, [f32; 4]);
scalar!(f64, x86::__m512d, x86::__m256d, [f64; 2]);

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64 as x86;

#[cfg(target_arch = "x86_64")]
macro_rules! x86_pack {
    ($pack:ident of $t:ident: $zero:ident $load:ident $store:ident $splat:ident $fmadd:ident $add:ident) => {
        #[allow(unsafe_code, reason = "intrinsics")]
        impl Pack<$t> for x86::$pack {
            const LANES: usize = size_of::<Self>() / size_of::<$t>();
            #[inline(always)]
            fn zero() -> Self {
                // SAFETY: the machine has such registers, says the caller.
                unsafe { x86::$zero() }
            }
            #[inline(always)]
            fn load(from: &[$t]) -> Self {
                let from = &from[..Self::LANES];
                // SAFETY: as above, and the slice is as long as is read.
                unsafe { x86::$load(from.as_ptr()) }
            }
            #[inline(always)]
            fn store(self, to: &mut [$t]) {
                let to = &mut to[..Self::LANES];
                // SAFETY: as above, and the slice is as long as is written.
                unsafe { x86::$store(to.as_mut_ptr(), self) }
            }
            #[inline(always)]
            fn add_product<const FUSED: bool>(self, x: $t, b: Self) -> Self {
                // SAFETY: as above; every level with such registers has a fused product.
                unsafe { x86::$fmadd(x86::$splat(x), b, self) }
            }
            #[inline(always)]
            fn plus(self, b: Self) -> Self {
                // SAFETY: as above.
                unsafe { x86::$add(self, b) }
            }
        }
    };
}
#[cfg(target_arch = "x86_64")]
x86_pack!(__m512 of f32: _mm512_setzero_ps _mm512_loadu_ps _mm512_storeu_ps _mm512_set1_ps _mm512_fmadd_ps _mm512_add_ps);
#[cfg(target_arch = "x86_64")]
x86_pack!(__m512d of f64: _mm512_setzero_pd _mm512_loadu_pd _mm512_storeu_pd _mm512_set1_pd _mm512_fmadd_pd _mm512_add_pd);
#[cfg(target_arch = "x86_64")]
x86_pack!(__m256 of f32: _mm256_setzero_ps _mm256_loadu_ps _mm256_storeu_ps _mm256_set1_ps _mm256_fmadd_ps _mm256_add_ps);
#[cfg(target_arch = "x86_64")]
x86_pack!(__m256d of f64: _mm256_setzero_pd _mm256_loadu_pd _mm256_storeu_pd _mm256_set1_pd _mm256_fmadd_pd _mm256_add_pd);
