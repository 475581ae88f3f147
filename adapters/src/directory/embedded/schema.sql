-- One directory in one file. Keys ending in _key are folded: the directory compares names without case and accents.
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS container (
    id INTEGER PRIMARY KEY,
    dn_key TEXT NOT NULL UNIQUE,
    dn TEXT NOT NULL,
    inside INTEGER NOT NULL
);

CREATE TABLE IF NOT EXISTS grp (
    id INTEGER PRIMARY KEY,
    dn_key TEXT NOT NULL UNIQUE,
    dn TEXT NOT NULL,
    name_key TEXT NOT NULL,
    inside INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS grp_name ON grp (name_key);

-- `inside`: under the base. `other_addresses`: those that are not SMTP (X500 and the like): kept, shown to nobody. `addresses`: a JSON array of folded addresses, kept by triggers in the table of that name.
CREATE TABLE IF NOT EXISTS account (
    id INTEGER PRIMARY KEY,
    guid BLOB NOT NULL UNIQUE,
    usn INTEGER NOT NULL UNIQUE,
    container INTEGER NOT NULL REFERENCES container (id),
    inside INTEGER NOT NULL,
    cn TEXT NOT NULL,
    cn_key TEXT NOT NULL,
    enabled INTEGER NOT NULL,
    password BLOB,
    protected TEXT,
    address_policy INTEGER NOT NULL,
    correlation TEXT,
    username_key TEXT UNIQUE,
    upn_key TEXT UNIQUE,
    employee_key TEXT,
    display_key TEXT,
    addresses TEXT NOT NULL,
    attributes TEXT NOT NULL,
    other_addresses TEXT NOT NULL DEFAULT '[]',
    UNIQUE (container, cn_key)
);
CREATE INDEX IF NOT EXISTS account_employee ON account (employee_key) WHERE employee_key IS NOT NULL;
CREATE INDEX IF NOT EXISTS account_display ON account (display_key) WHERE display_key IS NOT NULL;
CREATE INDEX IF NOT EXISTS account_correlation ON account (correlation) WHERE correlation IS NOT NULL;

CREATE TABLE IF NOT EXISTS address (
    address_key TEXT NOT NULL,
    account INTEGER NOT NULL REFERENCES account (id),
    PRIMARY KEY (address_key, account)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS address_account ON address (account);

CREATE TABLE IF NOT EXISTS member (
    account INTEGER NOT NULL REFERENCES account (id),
    grp INTEGER NOT NULL REFERENCES grp (id),
    PRIMARY KEY (account, grp)
) WITHOUT ROWID;

-- Why triggers: a write is one statement, so it is whole without a transaction around it, and one trip to the file.
CREATE TRIGGER IF NOT EXISTS account_added AFTER INSERT ON account BEGIN
    INSERT OR IGNORE INTO address SELECT value, new.id FROM json_each(new.addresses);
END;
CREATE TRIGGER IF NOT EXISTS account_readdressed AFTER UPDATE OF addresses ON account WHEN old.addresses IS NOT new.addresses BEGIN
    DELETE FROM address WHERE account = new.id;
    INSERT OR IGNORE INTO address SELECT value, new.id FROM json_each(new.addresses);
END;
CREATE TRIGGER IF NOT EXISTS account_named BEFORE INSERT ON account WHEN EXISTS (SELECT 1 FROM grp WHERE name_key = new.username_key) BEGIN
    SELECT RAISE(ABORT, 'username of a group');
END;
CREATE TRIGGER IF NOT EXISTS account_renamed BEFORE UPDATE OF username_key ON account
WHEN old.username_key IS NOT new.username_key AND EXISTS (SELECT 1 FROM grp WHERE name_key = new.username_key) BEGIN
    SELECT RAISE(ABORT, 'username of a group');
END;
CREATE TRIGGER IF NOT EXISTS member_added AFTER INSERT ON member BEGIN
    UPDATE account SET usn = (SELECT max(usn) + 1 FROM account) WHERE id = new.account;
END;
CREATE TRIGGER IF NOT EXISTS member_gone AFTER DELETE ON member BEGIN
    UPDATE account SET usn = (SELECT max(usn) + 1 FROM account) WHERE id = old.account;
END;

-- When a password was set, in seconds of Unix time. How old one may become is the setting maximum_password_age, in seconds; without it none runs out.
CREATE TABLE IF NOT EXISTS password_age (account INTEGER PRIMARY KEY REFERENCES account (id), set_at INTEGER NOT NULL);
CREATE TRIGGER IF NOT EXISTS password_set AFTER UPDATE OF password ON account BEGIN
    INSERT OR REPLACE INTO password_age (account, set_at) VALUES (new.id, unixepoch());
END;
CREATE VIEW IF NOT EXISTS expiry AS
    SELECT a.id AS account, a.guid, p.set_at, p.set_at + CAST(s.value AS INTEGER) AS expires_at
    FROM account a JOIN password_age p ON p.account = a.id LEFT JOIN setting s ON s.name = 'maximum_password_age';

-- Passwords that people have chosen, the latest with the highest id.
CREATE TABLE IF NOT EXISTS password_history (
    id INTEGER PRIMARY KEY,
    account INTEGER NOT NULL REFERENCES account (id),
    password BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS password_history_account ON password_history (account);

-- thumbnailPhoto. Why apart: scans read whole rows of accounts.
CREATE TABLE IF NOT EXISTS photo (
    account INTEGER PRIMARY KEY REFERENCES account (id),
    octets BLOB NOT NULL
);
