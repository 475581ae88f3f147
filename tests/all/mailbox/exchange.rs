//! The PowerShell example cannot be executed here: it is parsed by a grammar of the language, and that it speaks of the contract and
//! of nothing else is read out of its text.
use std::collections::BTreeSet;
use tree_sitter::{Node, Parser, Tree};

const EXAMPLE: &str = include_str!("../../../docs/operators/mailbox-commands/exchange.ps1");

/// Without comments.
fn code() -> String {
    let mut out = String::new();
    for line in EXAMPLE.lines() {
        let mut open: Option<char> = None;
        for letter in line.chars() {
            match (open, letter) {
                (None, '#') => break,
                (None, '\'' | '"') => open = Some(letter),
                (Some(quote), letter) if quote == letter => open = None,
                _ => {}
            }
            out.push(letter);
        }
        assert_eq!(open, None, "a string that does not end: {line}");
        out.push('\n');
    }
    out
}

/// The words that stand right behind `marker`.
fn behind(text: &str, marker: &str) -> BTreeSet<String> {
    let word = |rest: &str| rest.chars().take_while(char::is_ascii_alphanumeric).collect::<String>();
    text.split(marker).skip(1).map(word).filter(|word| !word.is_empty()).collect()
}

fn words(of: &[&str]) -> BTreeSet<String> {
    of.iter().map(|word| (*word).to_owned()).collect()
}

#[test]
fn the_powershell_example_reads_and_answers_what_was_agreed_on_and_nothing_else() {
    let whole = code();
    assert_eq!(behind(&whole, "$request."), words(&["version", "account", "operation", "requestId"]));
    assert_eq!(behind(&whole, "$account."), words(&["guid", "primaryAddress"]));
    let answer = whole.split("$answer = @{").nth(1).and_then(|rest| rest.split('}').next()).unwrap();
    let keys: BTreeSet<String> = answer.split(';').map(|pair| pair.split('=').next().unwrap().trim().to_owned()).collect();
    assert_eq!(keys, words(&["version", "requestId", "state"]));
    assert_eq!(behind(&whole, "$answer."), words(&["waitingFor"]));
    // Of the operations none is left out, and none is made up.
    let switch = whole.split("switch ($request.operation) {").nth(1).and_then(|rest| rest.split("default").next()).unwrap();
    let operations: BTreeSet<String> =
        switch.lines().filter_map(|line| Some(line.trim().strip_prefix('\'')?.split('\'').next()?.to_owned())).collect();
    assert_eq!(operations, words(&["status", "open", "update", "hide", "close", "reopen"]));
    let states: BTreeSet<String> =
        whole.split('\'').filter(|text| text.len() > 2 && text.chars().all(|c| c.is_ascii_uppercase())).map(str::to_owned).collect();
    assert_eq!(states, words(&["NONE", "OPEN", "HIDDEN", "CLOSED", "WAITING"]));
    let ends = behind(&whole, "Stop-Kimlik ");
    assert_eq!(ends, words(&["1", "65", "75"]), "0 is for answers; 1 says perhaps");
}

/// The example, or another text, as PowerShell's grammar has it.
fn parsed(text: &str) -> Tree {
    let mut parser = Parser::new();
    parser.set_language(&tree_sitter_powershell::LANGUAGE.into()).unwrap();
    parser.parse(text, None).unwrap()
}

/// Every node of this kind, as it stands in the text.
fn of_kind<'t>(tree: &Tree, text: &'t str, kind: &str) -> Vec<&'t str> {
    fn walk<'t>(node: Node<'_>, text: &'t str, kind: &str, out: &mut Vec<&'t str>) {
        if node.kind() == kind {
            out.push(&text[node.byte_range()]);
        }
        node.children(&mut node.walk()).for_each(|child| walk(child, text, kind, out));
    }
    let mut out = Vec::new();
    walk(tree.root_node(), text, kind, &mut out);
    out
}

#[test]
fn the_powershell_example_is_powershell() {
    assert!(!parsed(EXAMPLE).root_node().has_error(), "{}", parsed(EXAMPLE).root_node());
    // Each of these is a slip that a reader overlooks.
    for (right, wrong) in [
        ("if ($own) {", "if $own {"),
        ("| Out-Null\n", "| \n}"),
        ("param(", "param"),
        ("'NONE'", "'NONE"),
        ("$answer = @{", "$answer = @("),
        ("switch ($request.operation)", "switch $request.operation"),
        ("function Get-Own {", "function {"),
    ] {
        assert!(EXAMPLE.contains(right), "{right}");
        assert!(parsed(&EXAMPLE.replacen(right, wrong, 1)).root_node().has_error(), "{wrong} is found");
    }
}

#[test]
fn every_function_of_the_powershell_example_is_called_and_every_command_is_known() {
    let tree = parsed(EXAMPLE);
    let defined: BTreeSet<&str> = of_kind(&tree, EXAMPLE, "function_name").into_iter().collect();
    let called: BTreeSet<&str> = of_kind(&tree, EXAMPLE, "command_name").into_iter().collect();
    assert!(defined.len() > 8 && defined.is_subset(&called), "never called: {:?}", defined.difference(&called));
    // Cmdlets of Exchange and of PowerShell; whatever else has the shape of one is a slip of the pen.
    const KNOWN: &[&str] = &[
        "New-Object",
        "ConvertFrom-Json",
        "ConvertTo-Json",
        "Join-Path",
        "Set-StrictMode",
        "Test-Path",
        "Get-Content",
        "Set-Content",
        "New-Item",
        "Where-Object",
        "Out-Null",
        "New-PSSession",
        "Import-PSSession",
        "Remove-PSSession",
        "Get-RemoteMailbox",
        "Get-Mailbox",
        "Get-MailboxStatistics",
        "Enable-RemoteMailbox",
        "Enable-Mailbox",
        "Connect-Mailbox",
        "Set-RemoteMailbox",
        "Set-Mailbox",
        "Update-Recipient",
        "Disable-RemoteMailbox",
        "Disable-Mailbox",
    ];
    let unknown: Vec<&&str> = called.iter().filter(|name| !defined.contains(*name) && !KNOWN.contains(name)).collect();
    assert!(unknown.is_empty(), "neither defined nor known: {unknown:?}");
}
