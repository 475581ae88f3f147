//! What a card has of the unit, of the superior and of the person's consent, and what does not fit, on a real domain.
use super::sync;
use kimlik_domain::account::AccountState;
use kimlik_domain::lifecycle::policy::Policy;
use kimlik_domain::staff::IssueKind;
use kimlik_tests::lab::Samba;
use kimlik_tests::ministry::{Ministry, STAFF_HEADER, policy};
use kimlik_tests::scenario::Hr;

/// Fax and head of the unit in Ağrı may change; the office below it says nothing of its own.
fn units(fax: &str, head: &str) -> String {
    format!(
        "code;parent_code;name;short_name;kind;province;head_registry_no;phone;fax;address;city;postal_code\n\
         10000000;;Çevre, Şehircilik ve İklim Değişikliği Bakanlığı;Çevre ve Şehircilik Bakanlığı;CENTRAL;06;;+90 312 410 10 00;;Mustafa Kemal Mah. No: 278;Ankara;06510\n\
         20000004;10000000;Ağrı Çevre, Şehircilik ve İklim Değişikliği İl Müdürlüğü;Ağrı İl Müdürlüğü;PROVINCIAL;04;{head};+90 472 215 10 10;{fax};Fırat Mah. Şehit Cad. No: 5;Ağrı Merkez;04100\n\
         20000104;20000004;Çevre Denetim Şube Müdürlüğü;ÇED Şubesi;PROVINCIAL;;;;;;;\n\
         20000035;10000000;İzmir Çevre, Şehircilik ve İklim Değişikliği İl Müdürlüğü;İzmir İl Müdürlüğü;PROVINCIAL;35;;+90 232 341 68 00;;Kazımdirik Mah. 296. Sok.;İzmir;35100\n"
    )
}

struct World {
    samba: Samba,
    ministry: Ministry,
    hr: Hr,
}

impl World {
    /// The line, consent to show the mobile, the superior that HR names, and custom attribute 1.
    async fn says(&mut self, people: &[(&str, &str, &str, &str)]) {
        let row = |(line, consent, manager, attr): &(&str, &str, &str, &str)| {
            format!("{};{consent};{manager};{attr}", self.hr.says(line).remove(0))
        };
        let rows: Vec<String> = people.iter().map(row).collect();
        let text = format!("{STAFF_HEADER};mobile_public;manager_registry_no;attr_1\n{}\n", rows.join("\n"));
        let report = self.ministry.hr("staff-delta", &text).await;
        assert_eq!((report.refused, report.rejected_rows), (None, 0), "{:?}", report.issues);
        sync(&self.ministry).await;
    }

    async fn has_units(&self, fax: &str, head: &str) {
        let report = self.ministry.hr("units", &units(fax, head)).await;
        assert_eq!((report.refused, report.rejected_rows), (None, 0), "{:?}", report.issues);
        sync(&self.ministry).await;
    }

    fn reads(&self, number: &str, table: &[(&str, &str)]) {
        for (attribute, expected) in table {
            let value = self.samba.value(&format!("(employeeID={number})"), attribute).unwrap_or_default();
            assert_eq!(value, *expected, "{attribute} of {number}");
        }
    }

    async fn dn(&self, number: &str) -> String {
        self.ministry.person(number).await.account.unwrap().dn.unwrap().as_str().to_owned()
    }
}

#[tokio::test]
async fn units_lend_superiors_stand_by_their_accounts_and_a_mobile_is_shown_by_consent() {
    let samba = Samba::start();
    let mut policy: Policy = policy();
    policy.mapping.set("countryCode", "{attr_1}|792").unwrap();
    let ministry = Ministry::on_samba_with("2026-12-01", &samba, policy).await;
    let mut w = World { samba, ministry, hr: Hr::default() };
    w.has_units("+90 472 215 10 11", "S009").await;
    w.says(&[
        ("S009: given=Müdür; family=Bey; start=2026-12-01; unit=20000004; post=İl Müdürü", "no", "", ""),
        ("S001: given=Ali; family=Can; start=2026-12-01; unit=20000104; post=Memur; ext=12", "yes", "", ""),
        ("S002: given=Veli; family=Kan; start=2026-12-01; unit=20000104; post=Memur", "no", "S001", ""),
    ])
    .await;
    let lent = [
        ("department", "ÇED Şubesi"),
        ("company", "Ağrı İl Müdürlüğü"),
        ("facsimileTelephoneNumber", "+90 472 215 10 11"),
        ("streetAddress", "Fırat Mah. Şehit Cad. No: 5"),
        ("l", "Ağrı Merkez"),
        ("st", "Ağrı"),
        ("postalCode", "04100"),
        ("c", "TR"),
        ("co", "Türkiye"),
        ("countryCode", "792"),
    ];
    w.reads("S001", &lent);
    w.reads("S002", &lent);
    let (head, first, second) = (w.dn("S009").await, w.dn("S001").await, w.dn("S002").await);
    w.reads("S001", &[("telephoneNumber", "+90 472 215 10 10 / 12"), ("manager", &head), ("mobile", "+905320000002")]);
    w.reads("S002", &[("telephoneNumber", "+90 472 215 10 10"), ("manager", &first), ("mobile", "")]);
    w.reads("S009", &[("manager", ""), ("mobile", "")]);

    // What somebody makes of it by hand goes back, whoever's row it is.
    w.samba.admin_modify(&format!(
        "dn: {first}\nchangetype: modify\nreplace: streetAddress\nstreetAddress: Ev\n-\nreplace: facsimileTelephoneNumber\nfacsimileTelephoneNumber: 1\n-\n\
         replace: manager\nmanager: {second}\n-\nreplace: countryCode\ncountryCode: 90\n-\ndelete: postalCode\n"
    ));
    sync(&w.ministry).await;
    w.reads("S001", &lent);
    w.reads("S001", &[("manager", &head)]);

    // The unit's row changes for all its people, the one below it too; its head is their superior.
    w.has_units("+90 472 215 10 99", "S002").await;
    w.reads("S001", &[("facsimileTelephoneNumber", "+90 472 215 10 99"), ("manager", &second)]);
    w.reads("S002", &[("facsimileTelephoneNumber", "+90 472 215 10 99"), ("manager", &first)]);

    w.says(&[("S001: unit=20000035", "no", "", "")]).await;
    w.reads(
        "S001",
        &[
            ("mobile", ""),
            ("manager", ""),
            ("facsimileTelephoneNumber", ""),
            ("streetAddress", "Kazımdirik Mah. 296. Sok."),
            ("l", "İzmir"),
            ("st", "İzmir"),
            ("postalCode", "35100"),
            ("company", "İzmir İl Müdürlüğü"),
            ("department", "İzmir İl Müdürlüğü"),
            ("telephoneNumber", "+90 232 341 68 00 / 12"),
        ],
    );

    // A number has its range (that of the schema: 0 to 65535); what is none, or beyond it, is left out and said.
    for (number, written) in [
        ("65535", "65535"),
        ("65536", ""),
        ("90", "90"),
        ("+90", ""),
        ("090", ""),
        ("0", ""),
        ("-1", ""),
        ("2147483648", ""),
        ("doksan", ""),
    ] {
        w.says(&[("S001: unit=20000035", "no", "", number)]).await;
        let record = w.ministry.person("S001").await;
        assert_eq!(record.account.unwrap().state, AccountState::Active, "{number}");
        assert_eq!(record.open_issues.contains(&IssueKind::CardValueCut), written.is_empty(), "{number}");
        let held = w.samba.value("(employeeID=S001)", "countryCode").filter(|held| held != "0").unwrap_or_default();
        assert_eq!(held, written, "{number}");
    }
}
