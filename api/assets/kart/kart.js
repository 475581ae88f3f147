// The page asks the GraphQL API and nothing else; any front end could do the same.
import { WORDS } from "/kart/words.js";
import { ask, signIn, signOut, speak, viewer, whenEnded } from "/kart/session.js";
import { field, form, make } from "/kart/form.js";
import { officersForm, ownPhones } from "/kart/phones.js";
import { resetForm } from "/kart/reset.js";
import { truth, whyButton } from "/kart/truth.js";

const at = (id) => document.getElementById(id);
// Somebody has pressed the button since the page was loaded: their choice, and not that of whoever sat here before.
let chosen = false;
let tongue = localStorage.getItem("tongue") || (navigator.language.startsWith("en") ? "en" : "tr");
export const say = (key) => WORDS[tongue][key];
// In Turkey's days and hours, of 24, whichever the language.
const locale = () => (tongue === "en" ? "en-GB" : "tr");
export const time = (moment) => new Date(moment).toLocaleTimeString(locale(), { timeStyle: "short", timeZone: "Europe/Istanbul" });
export const date = (day) => new Date(day).toLocaleDateString(locale(), { dateStyle: "long", timeZone: "Europe/Istanbul" });
export const when = (moment) => new Date(moment).toLocaleString(locale(), { dateStyle: "long", timeStyle: "short", timeZone: "Europe/Istanbul" });
export const phone = (number) => number.replace(/^\+90(\d{3})(\d{3})(\d{2})(\d{2})$/, "+90 $1 $2 $3 $4");
const PERSON = "id displayName title city unit { code shortName }";
const PAGE = "totalCount pageInfo { hasNextPage endCursor }";

// What a screen reader is told without being asked.
export const tell = (text) => { at("told").textContent = text; };

let turn = 0;
// A view that is overtaken by the next one writes nothing.
async function show(heading, load) {
  const mine = ++turn;
  const title = make("h2", { tabIndex: -1 }, heading);
  at("view").replaceChildren(make("section", {}, title));
  at("view").setAttribute("aria-busy", "true");
  try {
    const parts = await load(title);
    if (mine === turn) at("view").replaceChildren(...parts);
  } catch {
    if (mine === turn) at("view").replaceChildren(make("section", {}, title, make("p", { className: "fault" }, say("away"))));
  }
  if (mine !== turn) return;
  at("view").removeAttribute("aria-busy");
  const first = at("view").querySelector("[data-first]") ?? at("view").querySelector("h2");
  first?.focus();
}

const link = (hash, ...children) => make("a", { href: `#${hash}` }, ...children);
const unitLink = (unit) => link(`birim/${unit.code}`, unit.shortName);

// Units of one name are in many provinces; among the people of a unit neither tells anything.
function person(card, where = true) {
  const under = [card.title, ...(where ? [card.unit?.shortName, card.city] : [])].filter(Boolean).join(" · ");
  return make("li", {}, link(`kart/${card.id}`, make("strong", {}, card.displayName), make("span", {}, under)));
}

// A list that grows by pages. `load(after)` answers a connection.
async function growing(load, where = true) {
  const list = make("ul", { className: "people" });
  const more = make("button", { type: "button", className: "plain", hidden: true }, say("more"));
  let after = null;
  const grow = async () => {
    const page = await load(after);
    list.append(...page.nodes.map((card) => person(card, where)));
    after = page.pageInfo.endCursor;
    more.hidden = !page.pageInfo.hasNextPage;
    return page;
  };
  more.onclick = async () => {
    const last = list.lastElementChild;
    await grow().catch(() => tell(say("away")));
    last?.nextElementSibling?.querySelector("a")?.focus();
  };
  const first = await grow();
  return { list, more, total: first.totalCount };
}

// What was looked for last: whoever comes back from a card finds the others again.
let sought = "";

function find() {
  return show(say("find"), async (title) => {
    const { label, input } = field("search", say("search"), { hint: say("searchHint"), type: "search" });
    input.setAttribute("data-first", "");
    const count = make("p", { className: "hint" });
    const found = make("div", {});
    let asked = 0, timer;
    const look = async () => {
      const [mine, text] = [++asked, input.value.trim()];
      sought = text;
      if (!text) { found.replaceChildren(); count.textContent = ""; return; }
      const query = `query($s: String, $a: String) { identityCards(search: $s, first: 20, after: $a) { ${PAGE} nodes { ${PERSON} } } }`;
      const grown = await growing(async (a) => (await ask(query, { s: text, a })).identityCards).catch(() => null);
      if (mine !== asked) return;
      count.textContent = !grown ? say("away") : grown.total ? say("people")(grown.total) : say("nobody");
      tell(count.textContent);
      found.replaceChildren(...(grown ? [grown.list, grown.more] : []));
    };
    input.oninput = () => { clearTimeout(timer); timer = setTimeout(look, 250); };
    const search = make("form", { noValidate: true, onsubmit: (event) => { event.preventDefault(); look(); } }, label);
    search.setAttribute("role", "search");
    input.value = sought;
    if (sought) await look();
    return [make("section", {}, title, search, count, found)];
  });
}

const CARD = `id displayName title email emailAliases mobile office city registryNumber workPhone { number extension }
  unit { code shortName } unitPath { code shortName } manager { id displayName }
  postings { kind title unit { code shortName } }`;

// One's own numbers stand beside it, with what HR says: the card follows a change a moment later.
function details(card, isOwn) {
  const list = make("dl", {});
  const line = (key, ...value) => {
    if (value[0]) list.append(make("div", {}, make("dt", {}, say(key)), make("dd", {}, ...value)));
  };
  const between = (links) => links.flatMap((one, n) => (n ? [" › ", one] : [one]));
  line("unit", ...between((card.unitPath ?? []).map(unitLink)));
  line("mail", card.email && make("a", { href: `mailto:${card.email}` }, card.email));
  const work = isOwn ? null : card.workPhone;
  const number = work?.number && make("a", { href: `tel:${work.number}` }, phone(work.number));
  const inside = work?.extension && say("inside")(work.extension);
  line("work", ...[number, number && inside && ", ", inside].filter(Boolean));
  line("mobile", !isOwn && card.mobile && make("a", { href: `tel:${card.mobile}` }, phone(card.mobile)));
  line("office", card.office);
  line("city", card.city);
  line("manager", card.manager && link(`kart/${card.manager.id}`, card.manager.displayName));
  const duties = card.postings.filter((posting) => posting.kind !== "PERMANENT" && posting.unit);
  const duty = (posting) => make("span", {}, `${posting.title ?? ""} (${say(posting.kind.toLowerCase())}), `, unitLink(posting.unit));
  line("postings", ...duties.map(duty));
  line("aliases", card.emailAliases.join(", "));
  line("registry", card.registryNumber);
  return list;
}

function card(id) {
  const isOwn = id === viewer().card?.id;
  return show(isOwn ? say("own") : "", async (title) => {
    const { identityCard } = await ask(`query($id: ID!) { identityCard(by: { id: $id }) { ${CARD} } }`, { id });
    if (!identityCard) return [make("section", {}, make("h2", { tabIndex: -1 }, say("gone")))];
    title.textContent = identityCard.displayName;
    const paper = make("section", {}, title, make("p", { className: "role" }, identityCard.title ?? ""), details(identityCard, isOwn));
    // False: somebody has gone on to another card meanwhile, and stays there.
    const here = location.hash;
    const again = async () => location.hash === here && (await card(id), true);
    if (isOwn) return [make("div", { className: "sides" }, paper, await ownPhones(id, again)), truth(id)];
    const keepsRecords = viewer().roles.some((role) => role === "PERSONNEL_OFFICER" || role === "ADMINISTRATOR");
    const desk = keepsRecords ? await officersForm(id, again) : null;
    return desk ? [make("div", { className: "sides" }, paper, make("div", {}, desk, resetForm(id))), whyButton(id)] : [paper];
  });
}

const UNIT = "code shortName children(first: 1) { totalCount }";

function branch(unit) {
  const below = make("ul", { hidden: true });
  const row = make("div", { className: "row" });
  if (unit.children?.totalCount) {
    const button = make("button", { type: "button", className: "open" }, "▸");
    const dress = (open) => {
      button.textContent = open ? "▾" : "▸";
      button.setAttribute("aria-expanded", String(open));
      button.setAttribute("aria-label", `${unit.shortName}: ${say(open ? "close" : "under")}`);
      below.hidden = !open;
    };
    button.onclick = async () => {
      const open = below.hidden;
      if (open && !below.children.length) below.append(...await children(unit.code).catch(() => []));
      dress(open);
    };
    dress(false);
    row.append(button);
  } else {
    row.append(make("span", { className: "open" }));
  }
  row.append(unitLink(unit));
  return make("li", {}, row, below);
}

async function children(code) {
  const query = `query($c: UnitCode!, $a: String) { unit(code: $c) { children(first: 100, after: $a) { pageInfo { hasNextPage endCursor } nodes { ${UNIT} } } } }`;
  const all = [];
  for (let a = null; ;) {
    const { nodes, pageInfo } = (await ask(query, { c: code, a })).unit.children;
    all.push(...nodes.map(branch));
    if (!pageInfo.hasNextPage) return all;
    a = pageInfo.endCursor;
  }
}

function units() {
  return show(say("units"), async (title) => {
    // Whichever unit comes first: its path begins with the ministry.
    const { units: any } = await ask(`{ units(first: 1) { nodes { path { ${UNIT} } } } }`);
    const top = branch(any.nodes[0].path[0]);
    top.querySelector("button")?.click();
    return [make("section", {}, title, make("ul", { className: "tree" }, top))];
  });
}

function unit(code) {
  return show(say("units"), async (title) => {
    const query = `query($c: UnitCode!) { unit(code: $c) { name phone path { code shortName } personnelUnit { code shortName } } }`;
    const { unit: found } = await ask(query, { c: code });
    if (!found) return [make("section", {}, make("h2", { tabIndex: -1 }, say("gone")))];
    title.textContent = found.name;
    const path = found.path.slice(0, -1).flatMap((one, n) => (n ? [" › ", unitLink(one)] : [unitLink(one)]));
    const below = await children(code);
    const staff = "query($c: UnitCode!, $a: String) { unit(code: $c) { staff(first: 50, after: $a) {";
    const people = await growing(async (a) => (await ask(`${staff} ${PAGE} nodes { ${PERSON} } } } }`, { c: code, a })).unit.staff, false);
    const left = make("section", {}, title, make("p", { className: "role" }, ...path),
      ...(found.phone ? [make("p", {}, make("a", { href: `tel:${found.phone}` }, phone(found.phone)))] : []),
      ...(below.length ? [make("h3", {}, say("below")), make("ul", { className: "tree" }, ...below)] : []));
    const right = make("section", {}, make("h3", {}, `${say("staffHere")} (${people.total})`), people.list, people.more);
    return [make("div", { className: "sides" }, left, right)];
  });
}

function door(message) {
  turn += 1;
  sought = "";
  const name = field("username", say("name"), { complete: "username" });
  const password = field("password", say("password"), { type: "password", complete: "current-password" });
  const sign = form({
    fields: [name, password], deed: say("enter"),
    act: async (complain) => {
      const refusal = await signIn(name.input.value, password.input.value);
      password.input.value = "";
      if (refusal) return complain(refusal, password.input);
      if (chosen) keepLanguage(); else tongue = viewer().language?.toLowerCase() ?? tongue;
      dress();
    },
  });
  at("view").replaceChildren(make("section", {}, make("h2", {}, say("enter")), make("p", { className: "hint" }, say("greeting")), sign.element));
  if (message) sign.complain(message);
  name.input.focus();
}

function go() {
  if (!viewer()) return door();
  const [place, what] = location.hash.slice(1).split("/");
  const own = viewer().card?.id;
  const current = { bul: "bul", birim: "birim", kart: what === own ? "ben" : "bul" }[place] ?? (own ? "ben" : "bul");
  for (const one of at("places").children) {
    if (one.hash === `#${current}`) one.setAttribute("aria-current", "page"); else one.removeAttribute("aria-current");
  }
  if (place === "bul") return find();
  if (place === "birim") return what ? unit(what) : units();
  if (place === "kart" && what) return card(what);
  return own ? card(own) : find();
}

function dress() {
  speak(tongue);
  document.documentElement.lang = tongue;
  document.title = at("title").textContent = say("title");
  at("language").textContent = say("other");
  at("language").lang = tongue === "tr" ? "en" : "tr";
  at("leave").textContent = say("leave");
  at("leave").hidden = at("places").hidden = !viewer();
  at("who").textContent = viewer()?.name ?? "";
  const places = [["bul", "find"], ...(viewer()?.card ? [["ben", "own"]] : []), ["birim", "units"]];
  at("places").replaceChildren(...places.map(([hash, key]) => link(hash, say(key))));
  go();
}

// What they are told by SMS and e-mail is written in it as well. Why unanswered: the page speaks it anyway.
function keepLanguage() {
  ask("mutation($i: LanguageSetInput!) { languageSet(input: $i) { language } }", { i: { language: tongue.toUpperCase() } }).catch(() => {});
}

at("language").onclick = () => {
  tongue = tongue === "tr" ? "en" : "tr";
  localStorage.setItem("tongue", tongue);
  chosen = true;
  if (viewer()) keepLanguage();
  dress();
};
at("leave").onclick = async () => {
  await signOut();
  dress();
};
whenEnded(() => { dress(); door(say("ended")); });
window.addEventListener("hashchange", () => viewer() && go());
dress();
