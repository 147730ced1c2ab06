//! Results, ledgers and state in DynamoDB tables.

mod idempotency;
mod item;
mod ledger;
mod requests;
mod results;

use aws_sdk_dynamodb::Client;

use crate::clients::Lazy;

/// A table and the client that reaches it.
#[derive(Clone, Debug)]
struct Table {
    client: Lazy<Client>,
    name: String,
}

macro_rules! tables {
    ($($(#[$text:meta])+ $type:ident;)+) => {
        $(
            $(#[$text])+
            #[derive(Clone, Debug)]
            pub struct $type(Table);

            impl $type {
                /// The table of this name.
                #[must_use]
                pub fn new(client: Lazy<Client>, name: String) -> Self {
                    Self(Table { client, name })
                }
            }
        )+
    };
}

tables! {
    /// Results: key `id` and `calculation_date`, indexes `ClientIndex` and
    /// `AccountIndex`.
    ResultsTable;
    /// Ledgers: key `id` and `month`.
    LedgerTable;
    /// Status of requests and answers of idempotent calls: key `id` and `item`, time
    /// to live `expires_at`.
    StateTable;
}
