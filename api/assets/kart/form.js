// Elements, fields and forms: each fault is told beside its field, and read out.
import { say } from "/kart/kart.js";

export function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

export function field(id, text, { hint, type = "text", complete = "off", value = "", mode, optional } = {}) {
  const input = make("input", { type, id, name: id, autocomplete: complete, autocapitalize: "none", spellcheck: false, value, required: !optional });
  if (mode) input.inputMode = mode;
  const label = make("label", { htmlFor: id }, text);
  if (hint) {
    input.setAttribute("aria-describedby", `${id}-hint`);
    label.append(make("span", { className: "hint", id: `${id}-hint` }, hint));
  }
  label.append(input);
  return { label, input };
}

// `at`: which field each path of the input belongs to.
export function form({ fields, deed, act, cancel, at = {} }) {
  const fault = make("p", { className: "fault", hidden: true });
  fault.setAttribute("role", "alert");
  const button = make("button", { className: "deed" }, deed);
  const back = cancel ? [make("button", { type: "button", className: "plain", onclick: cancel }, say("cancel"))] : [];
  const element = make("form", { noValidate: true }, ...fields.map(({ label }) => label), fault, make("div", { className: "row" }, button, ...back));
  const complain = (text, input) => {
    fault.textContent = text;
    fault.hidden = false;
    if (input) { input.setAttribute("aria-invalid", "true"); input.focus(); }
    // Below a long form it would be out of sight.
    fault.scrollIntoView({ block: "nearest" });
  };
  // Everything that the server minds, at once.
  const mind = (errors) => {
    const inputs = errors.map((error) => at[error.path[0]]).filter(Boolean);
    inputs.forEach((input) => input.setAttribute("aria-invalid", "true"));
    complain(errors.map((error) => error.message).join(" "), inputs[0]);
  };
  element.onsubmit = async (event) => {
    event.preventDefault();
    fault.hidden = true;
    fields.forEach(({ input }) => input.removeAttribute("aria-invalid"));
    const empty = fields.find(({ input }) => input.required && !input.value.trim());
    if (empty) return complain(say("empty"), empty.input);
    button.disabled = true;
    try { await act(complain, mind); } catch { complain(say("away")); }
    button.disabled = false;
  };
  return { element, complain };
}
