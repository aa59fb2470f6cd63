//! Vector registers.
//!
//! The compiler finds most vector instructions by itself, but not in loops that keep two dozen vectors in registers:
//! there they are written out. Each type is used by kernels compiled for its instructions alone ([`run`]).

use std::marker::PhantomData;

use super::factor::Factor;
use crate::kernels::{Kernel, Level};

/// A vector register full of numbers.
///
/// # Safety
/// A vector is used on machines that have its instructions only; [`run`] sees to that.
#[allow(unsafe_code, reason = "instructions that a machine may not have")]
pub(crate) unsafe trait Vector<T>: Copy {
    /// How many numbers it holds.
    const LANES: usize;
    /// How many of these registers there are.
    const REGISTERS: usize;
    /// Whether `a·b + c` is one instruction, rounded once.
    const FUSED: bool;

    /// # Safety
    /// `from` points to as many numbers as there are lanes.
    unsafe fn load(from: *const T) -> Self;
    /// # Safety
    /// `to` points to as many numbers as there are lanes.
    unsafe fn store(self, to: *mut T);
    /// The same number in each lane.
    fn splat(x: T) -> Self;
    /// `self + other`.
    fn add(self, other: Self) -> Self;
    /// `self · by`.
    fn mul(self, by: Self) -> Self;
    /// `self · by + plus`.
    fn mul_add(self, by: Self, plus: Self) -> Self;
    /// The sum of the lanes, in pairs.
    fn sum(self) -> T;
}

/// A loop over vectors of any width.
pub(super) trait Vectorised<T>: Copy {
    /// The loop; must be `#[inline(always)]`.
    fn run<V: Vector<T>>(self);
}

/// Runs a loop with the vectors of a level.
#[inline(always)]
pub(super) fn run<T: Factor>(level: Level, kernel: impl Vectorised<T>) {
    level.choose(
        With(kernel, PhantomData::<(T, T::Wide)>),
        With(kernel, PhantomData::<(T, T::Half)>),
        With(kernel, PhantomData::<(T, T::Narrow)>),
    );
}

/// `a · b + c` of single numbers, rounded as a vector's.
#[inline(always)]
pub(super) fn mul_add<T: Factor, V: Vector<T>>(a: T, b: T, c: T) -> T {
    if V::FUSED { a.mul_add::<true>(b, c) } else { a.mul_add::<false>(b, c) }
}

/// How many numbers a vector of a level holds.
pub(super) fn lanes<T>(level: Level) -> usize {
    level.vector_bytes() / size_of::<T>()
}

/// A loop with the vectors that it uses.
struct With<T, V, K>(K, PhantomData<(T, V)>);

impl<T: Factor, V: Vector<T>, K: Vectorised<T>> Kernel for With<T, V, K> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        self.0.run::<V>();
    }
}

macro_rules! vector {
    (
        $name:ident, $t:ty, $register:ty, $lanes:literal of $registers:literal,
        $load:ident, $store:ident, $splat:ident, $add:ident, $mul:ident, |$a:ident, $b:ident, $c:ident| $mul_add:expr
    ) => {
        #[derive(Clone, Copy)]
        pub(crate) struct $name($register);

        #[allow(unsafe_code, reason = "instructions that a machine may not have")]
        // SAFETY: where a vector is used, its instructions exist: that is what the trait asks of its users.
        unsafe impl Vector<$t> for $name {
            const LANES: usize = $lanes;
            const REGISTERS: usize = $registers;
            const FUSED: bool = $lanes * size_of::<$t>() > 16 || cfg!(target_arch = "aarch64");

            #[inline(always)]
            unsafe fn load(from: *const $t) -> Self {
                // SAFETY: the caller says so.
                Self(unsafe { arch::$load(from) })
            }
            #[inline(always)]
            unsafe fn store(self, to: *mut $t) {
                // SAFETY: the caller says so.
                unsafe { arch::$store(to, self.0) }
            }
            #[inline(always)]
            #[allow(unused_unsafe, reason = "some instructions are part of every machine of their kind")]
            fn splat(x: $t) -> Self {
                // SAFETY: the instruction exists.
                Self(unsafe { arch::$splat(x) })
            }
            #[inline(always)]
            #[allow(unused_unsafe, reason = "some instructions are part of every machine of their kind")]
            fn add(self, other: Self) -> Self {
                // SAFETY: the instruction exists.
                Self(unsafe { arch::$add(self.0, other.0) })
            }
            #[inline(always)]
            #[allow(unused_unsafe, reason = "some instructions are part of every machine of their kind")]
            fn mul(self, by: Self) -> Self {
                // SAFETY: the instruction exists.
                Self(unsafe { arch::$mul(self.0, by.0) })
            }
            #[inline(always)]
            #[allow(unused_unsafe, reason = "some instructions are part of every machine of their kind")]
            fn mul_add(self, by: Self, plus: Self) -> Self {
                let ($a, $b, $c) = (self.0, by.0, plus.0);
                // SAFETY: the instructions exist.
                Self(unsafe { $mul_add })
            }
            #[inline(always)]
            fn sum(self) -> $t {
                let mut lanes = [0.0; $lanes];
                // SAFETY: there is room for all lanes.
                unsafe { self.store(lanes.as_mut_ptr()) };
                let mut width = $lanes / 2;
                while width > 0 {
                    for i in 0..width {
                        lanes[i] += lanes[i + width];
                    }
                    width /= 2;
                }
                lanes[0]
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64 as arch;

    use super::Vector;

    vector!(F32x16, f32, arch::__m512, 16 of 32, _mm512_loadu_ps, _mm512_storeu_ps, _mm512_set1_ps, _mm512_add_ps, _mm512_mul_ps,
        |a, b, c| arch::_mm512_fmadd_ps(a, b, c));
    vector!(F64x8, f64, arch::__m512d, 8 of 32, _mm512_loadu_pd, _mm512_storeu_pd, _mm512_set1_pd, _mm512_add_pd, _mm512_mul_pd,
        |a, b, c| arch::_mm512_fmadd_pd(a, b, c));
    vector!(F32x8, f32, arch::__m256, 8 of 16, _mm256_loadu_ps, _mm256_storeu_ps, _mm256_set1_ps, _mm256_add_ps, _mm256_mul_ps,
        |a, b, c| arch::_mm256_fmadd_ps(a, b, c));
    vector!(F64x4, f64, arch::__m256d, 4 of 16, _mm256_loadu_pd, _mm256_storeu_pd, _mm256_set1_pd, _mm256_add_pd, _mm256_mul_pd,
        |a, b, c| arch::_mm256_fmadd_pd(a, b, c));
    vector!(F32x4, f32, arch::__m128, 4 of 16, _mm_loadu_ps, _mm_storeu_ps, _mm_set1_ps, _mm_add_ps, _mm_mul_ps,
        |a, b, c| arch::_mm_add_ps(arch::_mm_mul_ps(a, b), c));
    vector!(F64x2, f64, arch::__m128d, 2 of 16, _mm_loadu_pd, _mm_storeu_pd, _mm_set1_pd, _mm_add_pd, _mm_mul_pd,
        |a, b, c| arch::_mm_add_pd(arch::_mm_mul_pd(a, b), c));
}
#[cfg(target_arch = "x86_64")]
pub(crate) use self::x86::*;

#[cfg(target_arch = "aarch64")]
mod neon {
    use std::arch::aarch64 as arch;

    use super::Vector;

    vector!(F32x4, f32, arch::float32x4_t, 4 of 32, vld1q_f32, vst1q_f32, vdupq_n_f32, vaddq_f32, vmulq_f32,
        |a, b, c| arch::vfmaq_f32(c, a, b));
    vector!(F64x2, f64, arch::float64x2_t, 2 of 32, vld1q_f64, vst1q_f64, vdupq_n_f64, vaddq_f64, vmulq_f64,
        |a, b, c| arch::vfmaq_f64(c, a, b));
}
#[cfg(target_arch = "aarch64")]
pub(crate) use self::neon::*;

/// Other machines: left to the compiler.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
mod plain {
    /// The names that the vectors below are made of.
    mod arch {
        pub unsafe fn load<T: Copy, const N: usize>(from: *const T) -> [T; N] {
            // SAFETY: the caller says so.
            unsafe { from.cast::<[T; N]>().read() }
        }
        pub unsafe fn store<T: Copy, const N: usize>(to: *mut T, x: [T; N]) {
            // SAFETY: the caller says so.
            unsafe { to.cast::<[T; N]>().write(x) }
        }
        pub fn splat<T: Copy, const N: usize>(x: T) -> [T; N] {
            [x; N]
        }
        pub fn add<T: Copy + std::ops::Add<Output = T>, const N: usize>(a: [T; N], b: [T; N]) -> [T; N] {
            std::array::from_fn(|i| a[i] + b[i])
        }
        pub fn mul<T: Copy + std::ops::Mul<Output = T>, const N: usize>(a: [T; N], b: [T; N]) -> [T; N] {
            std::array::from_fn(|i| a[i] * b[i])
        }
    }

    use super::Vector;

    vector!(F32x4, f32, [f32; 4], 4 of 16, load, store, splat, add, mul,
        |a, b, c| std::array::from_fn(|i| a[i] * b[i] + c[i]));
    vector!(F64x2, f64, [f64; 2], 2 of 16, load, store, splat, add, mul,
        |a, b, c| std::array::from_fn(|i| a[i] * b[i] + c[i]));
}
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
pub(crate) use self::plain::*;
#[cfg(not(target_arch = "x86_64"))]
pub(crate) use self::{F32x4 as F32x8, F32x4 as F32x16, F64x2 as F64x4, F64x2 as F64x8};

/// Rows as columns.
#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
pub(super) fn transpose<T: Factor, const N: usize>(rows: [[T; N]; N]) -> [[T; N]; N] {
    let mut columns = [[T::ZERO; N]; N];
    for (i, row) in rows.iter().enumerate() {
        for (column, &x) in columns.iter_mut().zip(row) {
            column[i] = x;
        }
    }
    columns
}

#[cfg(not(target_arch = "x86_64"))]
pub(super) use self::{transpose as transpose_f32, transpose as transpose_f64};

/// Rows as columns, with instructions that all of these machines have.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
#[allow(unsafe_code, reason = "a register is its lanes")]
pub(super) fn transpose_f64(rows: [[f64; 4]; 4]) -> [[f64; 4]; 4] {
    use std::arch::x86_64 as arch;
    // SAFETY: eight registers of two lanes are sixteen numbers, and any bits are numbers.
    unsafe {
        let [a, b, c, d] = std::mem::transmute::<[[f64; 4]; 4], [[arch::__m128d; 2]; 4]>(rows);
        let low = |x, y| arch::_mm_unpacklo_pd(x, y);
        let high = |x, y| arch::_mm_unpackhi_pd(x, y);
        std::mem::transmute::<[[arch::__m128d; 2]; 4], [[f64; 4]; 4]>([
            [low(a[0], b[0]), low(c[0], d[0])],
            [high(a[0], b[0]), high(c[0], d[0])],
            [low(a[1], b[1]), low(c[1], d[1])],
            [high(a[1], b[1]), high(c[1], d[1])],
        ])
    }
}

/// Rows as columns, with instructions that all of these machines have.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
#[allow(unsafe_code, reason = "a register is its lanes")]
pub(super) fn transpose_f32(rows: [[f32; 4]; 4]) -> [[f32; 4]; 4] {
    use std::arch::x86_64 as arch;
    // SAFETY: four registers of four lanes are sixteen numbers, and any bits are numbers.
    unsafe {
        let [a, b, c, d] = std::mem::transmute::<[[f32; 4]; 4], [arch::__m128; 4]>(rows);
        let (low, high) = (arch::_mm_unpacklo_ps(a, b), arch::_mm_unpackhi_ps(a, b));
        let (lower, higher) = (arch::_mm_unpacklo_ps(c, d), arch::_mm_unpackhi_ps(c, d));
        std::mem::transmute::<[arch::__m128; 4], [[f32; 4]; 4]>([
            arch::_mm_movelh_ps(low, lower),
            arch::_mm_movehl_ps(lower, low),
            arch::_mm_movelh_ps(high, higher),
            arch::_mm_movehl_ps(higher, high),
        ])
    }
}
