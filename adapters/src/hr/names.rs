//! Other names of the contract's fields, as a ministry's HR system has them.
use kimlik_domain::staff::feed::Field;
use kimlik_domain::text::fold;
use std::collections::HashMap;

#[derive(Clone, Debug, Default)]
pub struct FieldNames(HashMap<String, Field>);

impl FieldNames {
    pub fn new(names: &HashMap<String, Field>) -> FieldNames {
        FieldNames(names.iter().map(|(name, field)| (fold(name.trim()), *field)).collect())
    }
    /// Without regard to case and accents; the contract's own names always hold.
    pub fn field(&self, name: &str) -> Option<Field> {
        self.0.get(&fold(name.trim())).copied().or_else(|| Field::parse(name))
    }
}
