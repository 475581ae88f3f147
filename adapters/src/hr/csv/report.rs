//! What lies beside a file that was put away: for the people who can mend it. No national ids, no whole phone numbers.
use kimlik_domain::staff::feed::Delivery;
use kimlik_domain::staff::intake::FeedReport;
use kimlik_domain::staff::{DataIssue, IssueKind};
use std::fmt::Write;

/// `None`: there is nothing to mend.
pub fn text(delivery: &Delivery, report: &FeedReport) -> Option<String> {
    // Broken rows that the intake has named as issues are not said twice.
    let named = |line: u32| report.issues.iter().any(|issue| issue.kind == IssueKind::UnreadableRow && issue.line == Some(line));
    let broken: Vec<_> = delivery.broken.iter().filter(|row| !named(row.line)).collect();
    if broken.is_empty() && report.issues.is_empty() && report.refused.is_none() {
        return None;
    }
    let mut out = format!("{}\n", delivery.name);
    if let Some(reason) = &report.refused {
        let _ = writeln!(out, "Refused whole, nothing of it was taken: {reason}");
    }
    let _ = writeln!(out, "{} rows, {} of them rejected\n\nline; field; reason; personnel unit", report.rows, report.rejected_rows);
    for row in broken {
        let _ = writeln!(out, "{}; ; {}; ", row.line, row.reason);
    }
    let mut issues: Vec<&DataIssue> = report.issues.iter().collect();
    issues.sort_by_key(|issue| issue.line);
    for issue in issues {
        let line = issue.line.map(|line| line.to_string()).unwrap_or_default();
        let unit = issue.personnel_unit.map(|unit| unit.to_string()).unwrap_or_default();
        let who = issue.registry_no.as_ref().map(|no| format!("{no}: ")).unwrap_or_default();
        let _ = writeln!(out, "{line}; {}; {who}{}; {unit}", issue.field.as_deref().unwrap_or_default(), issue.message);
    }
    Some(out)
}
