// How well something in the palette fits the letters that were typed.

/** Letters in order, a start of a word first. @param {string} text @param {string} wanted @returns {number} 0 = not found */
export function score(text, wanted) {
  const hay = text.toLowerCase();
  const needle = wanted.trim().toLowerCase();
  if (needle === "") return 1;
  const at = hay.indexOf(needle);
  if (at === 0) return 100;
  if (at > 0) return hay[at - 1] === " " || hay[at - 1] === "-" ? 80 : 60;
  let from = 0;
  for (const letter of needle) {
    from = hay.indexOf(letter, from) + 1;
    if (from === 0) return 0;
  }
  return 20;
}
