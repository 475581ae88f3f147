use super::Core;
use kimlik_domain::ports::Finding;
pub(super) async fn all(_core: &Core) -> Vec<Finding> {
    Vec::new()
}
