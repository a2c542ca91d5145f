//! What the fuzz targets share: inputs that get past magic numbers, and limits that every decoder
//! must keep.
//!
//! Random bytes fail at the first check of a format, so [`Inputs`] are mostly genuine encodings
//! with a few faults. [`fuzz!`] feeds them to one decoder for a second (`make fuzz` gives each a
//! minute, and `BOLERO_RANDOM_TEST_TIME_MS` any other time), on the stable toolchain and with
//! nothing installed. With `cargo install cargo-bolero`, the same targets run under libFuzzer, whose
//! coverage guides it further:
//!
//! ```sh
//! cargo bolero test --package blindprint-fuzz --profile dev --rustc-bootstrap --sanitizer NONE template::submissions
//! ```

mod budget;
mod inputs;

pub use bolero;
pub use budget::{Budget, within};
pub use inputs::{Input, Inputs};

/// Feeds [`Inputs`] to a check, which gets each as a slice and must neither panic nor exceed the
/// [`Budget`]. Stands alone in a test function, after which the target is named.
#[macro_export]
macro_rules! fuzz {
    ($inputs:expr, $budget:expr, $check:expr) => {{
        let (inputs, budget, check): ($crate::Inputs, $crate::Budget, _) =
            ($inputs, $budget, $check);
        // What a check holds on to, such as a cache, stays as it is when an input makes it fail.
        let check = ::std::panic::AssertUnwindSafe(check);
        $crate::bolero::check!()
            .with_generator(inputs)
            .for_each(move |input: &$crate::Input| {
                let check = &check;
                $crate::within(budget, || (check.0)(&input.0));
            });
    }};
}
