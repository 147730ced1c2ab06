//! Who is calling: tokens verified, tokens made, and what a caller may do.
//!
//! How a token is verified is fixed by [`Keys`], made from the configuration;
//! nothing in a token's header chooses an algorithm or brings a key along.

mod claims;
mod keys;
mod mint;
#[cfg(test)]
pub(crate) mod testing;
mod verify;

pub use claims::{LEEWAY_SECONDS, TOKEN_LIFETIME_SECONDS_MAX};
pub use keys::{KeyError, Keys, SECRET_BYTES_MIN};
pub use mint::{MintError, NewToken};
#[cfg(feature = "lambda")]
pub(crate) use verify::bearer;
pub use verify::{Authenticate, Denied, TOKEN_BYTES_MAX, TokenError, Verifier};
