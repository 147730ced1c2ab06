//! Schemas of the types whose JSON is not that of their fields.

use std::borrow::Cow;

use utoipa::openapi::schema::{AdditionalProperties, Object, ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::model::{
    DayCount, Deviation, EntityType, Identifier, MAX_IDENTIFIER_CHARACTERS, Method, Metric, Metrics, Reason,
    ResultBasis, TimePeriod, Timing, TransactionKind, WindowName, Word,
};
use crate::number::{Exact, Rounded};

type Schemas = Vec<(String, RefOr<Schema>)>;

/// Describes each enumeration by its words.
macro_rules! words {
    ($($type:ident: $description:literal,)+) => {$(
        impl PartialSchema for $type {
            fn schema() -> RefOr<Schema> {
                one_of($type::WORDS.iter().map(|(_, word)| *word), $description)
            }
        }
        impl ToSchema for $type {}
    )+};
}

words! {
    EntityType: "Level of an entity.",
    Timing: "When in its day a cash flow happens, against that day's valuation.",
    Method: "How sub-periods are cut.",
    Deviation: "The divisor of the variance: n or n - 1.",
    DayCount: "How days become years.",
    TimePeriod: "A standing window.",
    ResultBasis: "What a stored result was computed from.",
    TransactionKind: "What a transaction is.",
    Metric: "A figure. Formulas: docs/methodology.md.",
}

fn one_of(words: impl Iterator<Item = &'static str>, description: &str) -> RefOr<Schema> {
    text().description(Some(description)).enum_values(Some(words)).into()
}

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

impl PartialSchema for WindowName {
    fn schema() -> RefOr<Schema> {
        let words = TimePeriod::WORDS.iter().map(|(_, word)| *word);
        one_of(words.chain([Self::Custom.word()]), "A standing window, or CUSTOM for any other period.")
    }
}

impl ToSchema for WindowName {}

impl PartialSchema for Identifier {
    fn schema() -> RefOr<Schema> {
        text()
            .description(Some("A name."))
            .pattern(Some("^[A-Za-z0-9._:-]+$"))
            .min_length(Some(1))
            .max_length(Some(MAX_IDENTIFIER_CHARACTERS))
            .examples(["port-12345"])
            .into()
    }
}

impl ToSchema for Identifier {}

impl PartialSchema for Exact {
    fn schema() -> RefOr<Schema> {
        text()
            .description(Some("An exact decimal; money is never a JSON number."))
            .pattern(Some(r"^-?[0-9]+(\.[0-9]+)?$"))
            .examples(["10000.10"])
            .into()
    }
}

impl ToSchema for Exact {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Money")
    }
}

impl PartialSchema for Rounded {
    fn schema() -> RefOr<Schema> {
        let description =
            "Up to twenty significant digits: more than a binary double holds. Rates are fractions.";
        ObjectBuilder::new().schema_type(Type::Number).description(Some(description)).into()
    }
}

impl ToSchema for Rounded {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Figure")
    }
}

impl PartialSchema for Metrics {
    fn schema() -> RefOr<Schema> {
        let reference = |name: Cow<'static, str>| Ref::from_schema_name(name);
        let nullable = || {
            let types = SchemaType::from_iter([Type::Number, Type::Null]);
            Object::builder().schema_type(types).build()
        };
        let values = Metric::all()
            .fold(Object::builder(), |object, metric| object.property(metric.word(), nullable()))
            .description(Some("The figures asked for; null where undefined."));
        let reasons = Object::builder()
            .additional_properties(Some(AdditionalProperties::from(reference(Reason::name()))))
            .description(Some("Why a figure is null, by its name."));
        let (metrics, undefined) = ("metrics", "undefined");
        Object::builder()
            .property(metrics, values)
            .property(undefined, reasons)
            .required(metrics)
            .required(undefined)
            .into()
    }
}

impl ToSchema for Metrics {
    fn schemas(schemas: &mut Schemas) {
        schemas.push((Reason::name().into_owned(), Reason::schema()));
    }
}
