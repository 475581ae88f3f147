pub enum Desired {}
pub struct DesiredAccount;
