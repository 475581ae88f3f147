//! Phones back to HR: a file a change, in `out/` of the drop folder, for HR's own program to fetch.
use super::{DropFolder, blocking, folder};
use async_trait::async_trait;
use chrono::{DateTime, SecondsFormat, Utc};
use kimlik_domain::phone::write_back::ForHr;
use kimlik_domain::ports::{HrAnswer, HrWriteBack, PortResult};
use kimlik_domain::staff::RegistryNo;
use std::io::Write;
use uuid::Uuid;

/// `changed` names the columns that speak; an empty cell of a named one is "none", all others say nothing.
const HEADER: &str = "key;registry_no;changed;mobile;work_phone;extension;changed_at\n";

fn row(key: Uuid, of: &RegistryNo, numbers: &ForHr, made_at: DateTime<Utc>) -> String {
    let (changed, mobile, work, extension) = match numbers {
        ForHr::Mobile(mobile) => ("mobile", mobile.as_ref().map_or("", |m| m.e164()), "", ""),
        ForHr::Work(work) => {
            let number = work.number.as_ref().map_or("", |n| n.e164());
            ("work_phone,extension", "", number, work.extension.as_deref().unwrap_or_default())
        }
    };
    // Why nothing is quoted: numbers, keys and times have no semicolon, quote or line in them.
    let at = made_at.to_rfc3339_opts(SecondsFormat::Secs, true);
    format!("{key};{of};{changed};{mobile};{work};{extension};{at}\n")
}

impl DropFolder {
    fn put_out(&self, key: Uuid, of: &RegistryNo, numbers: &ForHr, made_at: DateTime<Utc>) -> PortResult<()> {
        let out = self.path.join("out");
        std::fs::create_dir_all(&out).map_err(|error| folder::unavailable(&out, &error))?;
        // Why the key in the name: the same change written twice is the same file.
        let name = format!("phones-{}-{key}.csv", made_at.format("%Y%m%dT%H%M%S"));
        let (partial, whole) = (out.join(format!(".{name}.part")), out.join(&name));
        let write = || {
            let mut file = std::fs::File::create(&partial)?;
            file.write_all(HEADER.as_bytes())?;
            file.write_all(row(key, of, numbers, made_at).as_bytes())?;
            file.sync_all()?;
            std::fs::rename(&partial, &whole)?;
            // The name too has to survive a power cut: HR is not told again.
            std::fs::File::open(&out)?.sync_all()
        };
        write().map_err(|error| folder::unavailable(&whole, &error))
    }
}

#[async_trait]
impl HrWriteBack for DropFolder {
    async fn write_phones(&self, key: Uuid, of: &RegistryNo, numbers: &ForHr, made_at: DateTime<Utc>) -> PortResult<HrAnswer> {
        blocking(|| self.put_out(key, of, numbers, made_at)).map(|()| HrAnswer::Taken)
    }
}
