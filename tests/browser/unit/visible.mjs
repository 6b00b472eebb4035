// Finds words that a person would see in `html` templates: text between tags and the attributes that are read out. A small
// reader of templates, not of JavaScript; it errs on the side of finding too much.

const ATTRIBUTES = /\b(aria-label|aria-description|title|placeholder|alt|label)="([^"]*)"/g;
const WORD = /[A-Za-z\u4e00-\u9fff]/;

/** @param {string} source @returns {string[]} */
export function visible(source) {
  const found = [];
  let at = 0;
  for (;;) {
    at = source.indexOf("html`", at);
    if (at < 0) return found;
    at = template(source, at + 5, found);
  }
}

/** Reads one template; returns where it ends. */
function template(source, from, found) {
  let plain = "";
  let at = from;
  while (at < source.length && source[at] !== "`") {
    if (source[at] === "$" && source[at + 1] === "{") {
      at = expression(source, at + 2, found);
      plain += "\u0000";
    } else plain += source[at++];
  }
  judge(plain, found);
  return at + 1;
}

/** Skips an expression, reading the templates inside of it; returns where it ends. */
function expression(source, from, found) {
  let depth = 1;
  let at = from;
  while (at < source.length && depth > 0) {
    const letter = source[at];
    if (source.startsWith("html`", at)) at = template(source, at + 5, found);
    else if (letter === "`") at = template(source, at + 1, []);
    else if (letter === '"' || letter === "'") at = source.indexOf(letter, at + 1) + 1;
    else {
      if (letter === "{") depth += 1;
      if (letter === "}") depth -= 1;
      at += 1;
    }
  }
  return at;
}

/** @param {string} plain a template without its expressions @param {string[]} found */
function judge(plain, found) {
  for (const tag of plain.match(/<[^>]*>/g) ?? []) for (const [attribute, , value] of tag.matchAll(ATTRIBUTES)) if (WORD.test(value)) found.push(attribute);
  for (const text of plain.replace(/<[^>]*>/g, "\u0001").split(/[\u0000\u0001]/)) if (WORD.test(text)) found.push(text.trim());
}
