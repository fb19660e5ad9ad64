/* Making elements: one line each. */

export function make(name, parent, attributes = {}, text) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    element.setAttribute(key, value === true ? "" : value);
  }
  if (text !== undefined) element.textContent = text;
  parent?.append(element);
  return element;
}

export function button(parent, className, text, run, attributes = {}) {
  const element = make("button", parent, { type: "button", class: className, ...attributes }, text);
  element.addEventListener("click", run);
  return element;
}
