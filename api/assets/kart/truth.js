// Where each value of a card comes from, whether the address book shows it yet, and who can correct it.
import { date, say, when } from "/kart/kart.js";
import { make } from "/kart/form.js";
import { ask } from "/kart/session.js";

const FIELD = `name value directoryValue inSync reason because source effectiveOn since writtenAt correctors correctedBy { shortName } lentBy { shortName }`;
const QUERY = `query($id: ID!) { identityCard(by: { id: $id }) {
  addressBook { status writtenAt visibleOnlineFrom visibleInOutlookBy } waitsFor { because field since personnelUnit { shortName } } provenance { ${FIELD} } } }`;

function source({ source, since, effectiveOn, lentBy }) {
  const from = say("sources")[source].replace("{unit}", lentBy?.shortName ?? "");
  const day = effectiveOn ?? since;
  return day ? `${from}, ${say("from")(date(day))}` : from;
}

// Offline address books are so much later than the directory, at the latest.
const delay = ({ writtenAt, visibleInOutlookBy }) => (writtenAt ? Date.parse(visibleInOutlookBy) - Date.parse(writtenAt) : 0);

function shown(field, book) {
  if (!field.inSync) {
    const held = field.directoryValue && (field.name === "PHOTO" ? say("otherPhoto") : field.directoryValue);
    const now = held ? say("showsNow")(held) : say("showsNothing");
    return make("p", { className: "note" }, `${now} ${say("reasons")[field.reason]}`);
  }
  const by = field.writtenAt ? Date.parse(field.writtenAt) + delay(book) : 0;
  const text = book.status === "HIDDEN" ? say("books").HIDDEN : by > Date.now() ? say("visibleBy")(when(by)) : say("visible");
  return make("p", { className: "hint" }, text);
}

function correctors({ correctors, correctedBy }) {
  const named = (one) => (one === "PERSONNEL_UNIT" && correctedBy ? correctedBy.shortName : say("correctors")[one]);
  return `${say("correctedBy")} ${correctors.map(named).join(", ")}`;
}

function line(field, book) {
  // Of a photo the value is a tag, which tells a person nothing.
  const text = field.value && (field.name === "PHOTO" ? say("photo") : field.value);
  const value = make("p", { className: "value" }, text ?? say("none"));
  const from = make("p", { className: "hint" }, source(field));
  return make("div", {}, make("dt", {}, say("fields")[field.name] ?? field.name),
    make("dd", {}, value, shown(field, book), from, make("p", { className: "hint" }, correctors(field))));
}

const sentence = (text) => text.charAt(0).toLocaleUpperCase(document.documentElement.lang) + text.slice(1) + (/[.?!]$/.test(text) ? "" : ".");

function wait({ because, field, since, personnelUnit }) {
  const who = personnelUnit ? personnelUnit.shortName : say("correctors").ADMINISTRATOR;
  const about = say("columns")[field];
  const text = about ? `${about}: ${sentence(because)}` : sentence(because);
  return make("li", {}, text, make("p", { className: "hint" }, `${sentence(say("from")(date(since)))} ${say("waitsOn")(who)}`));
}

// What is asked of the directory now; the card itself does not wait for it.
export function truth(id, title = say("truth")) {
  const box = make("section", { id: "truth" }, make("h2", {}, title));
  box.setAttribute("aria-busy", "true");
  ask(QUERY, { id }).catch(() => null).then((answer) => {
    box.removeAttribute("aria-busy");
    fill(box, answer?.identityCard);
  });
  return box;
}

function fill(box, found) {
  if (!found?.provenance || !found.addressBook) return box.append(make("p", { className: "fault" }, say("truthAway")));
  const book = found.addressBook;
  const by = book.visibleInOutlookBy ? when(book.visibleInOutlookBy) : "";
  box.append(make("p", { className: book.status === "CURRENT" ? "done" : "note" }, say("books")[book.status].replace("{by}", by)));
  if (found.waitsFor?.length) box.append(make("div", { className: "note", id: "waits" }, make("p", {}, say("waitsFor")), make("ul", {}, ...found.waitsFor.map(wait))));
  // What differs comes first, then in the order of the card.
  const order = Object.keys(say("fields"));
  const place = ({ name, inSync }) => (inSync ? order.length : 0) + (order.includes(name) ? order.indexOf(name) : order.length);
  const fields = found.provenance.filter(({ name }) => order.includes(name)).sort((a, b) => place(a) - place(b));
  box.append(make("dl", {}, ...fields.map((field) => line(field, book))));
}

// For those who keep records: the reading is recorded, so it is asked for when it is needed.
export function whyButton(id) {
  const box = make("section", {});
  const open = make("button", { type: "button", className: "plain", id: "why" }, say("why"));
  open.onclick = () => {
    const told = truth(id, say("why"));
    box.replaceWith(told);
    const heading = told.querySelector("h2");
    heading.tabIndex = -1;
    heading.focus();
  };
  box.append(open);
  return box;
}
