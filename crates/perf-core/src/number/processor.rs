//! One source for loops over double-doubles, compiled for the instructions that
//! processors have, with the same bits everywhere.

#[cfg(test)]
use std::cell::Cell;
use std::sync::atomic::{AtomicU8, Ordering};

use super::twofold::{dekker_product, fused_product};

/// An error-free product.
pub(super) trait Product {
    fn two_product(a: f64, b: f64) -> (f64, f64);
}

/// By the instruction.
pub(super) struct Fused;

impl Product for Fused {
    #[inline(always)]
    fn two_product(a: f64, b: f64) -> (f64, f64) {
        fused_product(a, b)
    }
}

/// By splitting.
pub(super) struct Split;

impl Product for Split {
    #[inline(always)]
    fn two_product(a: f64, b: f64) -> (f64, f64) {
        dekker_product(a, b)
    }
}

/// Which instructions a processor has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Instructions {
    /// What every processor of its kind has.
    Base = 1,
    /// Four numbers in one, and the fused multiply-add.
    #[cfg(target_arch = "x86_64")]
    Avx2 = 2,
    /// Eight numbers in one, and the fused multiply-add.
    #[cfg(target_arch = "x86_64")]
    Avx512 = 3,
}

impl Instructions {
    /// Those of this processor.
    #[inline]
    pub(super) fn found() -> Self {
        /// What was found before; 0 until then.
        static FOUND: AtomicU8 = AtomicU8::new(0);
        #[cfg(test)]
        if let Some(chosen) = CHOSEN.get() {
            return chosen;
        }
        match FOUND.load(Ordering::Relaxed) {
            #[cfg(target_arch = "x86_64")]
            found if found == Self::Avx512 as u8 => Self::Avx512,
            #[cfg(target_arch = "x86_64")]
            found if found == Self::Avx2 as u8 => Self::Avx2,
            found if found == Self::Base as u8 => Self::Base,
            _ => {
                let found = Self::detected();
                FOUND.store(found as u8, Ordering::Relaxed);
                found
            }
        }
    }

    #[cold]
    fn detected() -> Self {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            let wide = is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512vl");
            return if wide { Self::Avx512 } else { Self::Avx2 };
        }
        Self::Base
    }
}

#[cfg(test)]
thread_local! {
    /// The instructions that a test asks for.
    pub(super) static CHOSEN: Cell<Option<Instructions>> = const { Cell::new(None) };
}

/// A function in each version, and the choice between them.
macro_rules! on_this_processor {
    ($visibility:vis $name:ident, $with:ident, ($($argument:ident: $type:ty),*) -> $result:ty, $about:literal) => {
        #[doc = $about]
        $visibility fn $name($($argument: $type),*) -> $result {
            use $crate::number::processor::{Fused, Instructions, Split};
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512dq,avx512vl,avx2,fma")]
            fn with_avx512($($argument: $type),*) -> $result {
                $with::<Fused>($($argument),*)
            }
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            fn with_avx2($($argument: $type),*) -> $result {
                $with::<Fused>($($argument),*)
            }
            match Instructions::found() {
                #[cfg(target_arch = "x86_64")]
                #[allow(unsafe_code, reason = "the processor has the features that the function is compiled for")]
                // SAFETY: these features were found.
                Instructions::Avx512 => unsafe { with_avx512($($argument),*) },
                #[cfg(target_arch = "x86_64")]
                #[allow(unsafe_code, reason = "the processor has the features that the function is compiled for")]
                // SAFETY: these features were found.
                Instructions::Avx2 => unsafe { with_avx2($($argument),*) },
                Instructions::Base if cfg!(target_arch = "aarch64") => $with::<Fused>($($argument),*),
                Instructions::Base => $with::<Split>($($argument),*),
            }
        }
    };
}

pub(super) use on_this_processor;

/// Runs a check with all instructions that this processor has.
#[cfg(test)]
pub(super) fn with_each_version<E>(check: impl Fn() -> Result<(), E>) -> Result<(), E> {
    let mut versions = vec![Instructions::Base];
    #[cfg(target_arch = "x86_64")]
    match Instructions::found() {
        Instructions::Avx512 => versions.extend([Instructions::Avx2, Instructions::Avx512]),
        Instructions::Avx2 => versions.push(Instructions::Avx2),
        Instructions::Base => {}
    }
    versions.into_iter().try_for_each(|version| {
        CHOSEN.set(Some(version));
        let result = check();
        CHOSEN.set(None);
        result
    })
}
